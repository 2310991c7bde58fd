'use strict'
// What she knows of the world around her, short and true: read from the connection now, never remembered.

const { SOURCES, listed } = require('./names')

const FAR = 48 // blocks that are looked over
const NEAR = 24
const PLAYERS = 5
const WEAK = 15 // points of health or food, of 20
const SHARP = ['zombie', 'skeleton', 'spider', 'creeper', 'husk', 'drowned', 'stray', 'witch', 'pillager', 'slime',
  'phantom']

/** {item: count} of everything that she has. */
function inventory (bot) {
  const found = {}
  for (const item of bot.inventory.items()) found[item.name] = (found[item.name] ?? 0) + item.count
  return found
}

/** The difference to what she had when the job began, in words: no other claim is made. */
function gained (bot, job) {
  const more = Object.entries(inventory(bot)).map(([name, n]) => [name, n - (job.before[name] ?? 0)])
  return `You got ${listed(Object.fromEntries(more))}.`
}

const hostile = entity => entity.kind === 'Hostile mobs' || entity.type === 'hostile' || SHARP.includes(entity.name)

/** Mobs that want to harm her, nearest first. */
function foes (bot, within = 16) {
  return Object.values(bot.entities)
    .filter(e => e !== bot.entity && e.isValid && e.name !== 'enderman' && hostile(e) && away(bot, e) <= within)
    .sort((a, b) => away(bot, a) - away(bot, b))
}

const away = (bot, thing) => bot.entity.position.distanceTo(thing.position)

/** The other players whom she can see, nearest first. */
function players (bot) {
  return Object.values(bot.players).filter(p => p.entity && p.username !== bot.username)
    .sort((a, b) => away(bot, a.entity) - away(bot, b.entity))
}

/** The nearest block of each kind that is worth knowing: {log: 12}, blocks away. */
function around (bot) {
  const found = {}
  const sources = Object.entries(SOURCES).map(([name, { blocks }]) => [name, blocks])
  const beds = bot.registry.blocksArray.map(({ name }) => name).filter(name => name.endsWith('_bed'))
  const others = ['water', 'lava', 'crafting_table', 'chest'].map(name => [name, [name]])
  for (const [name, names] of [...sources, ...others, ['bed', beds]]) {
    const ids = names.map(each => bot.registry.blocksByName[each]?.id).filter(id => id !== undefined)
    const [place] = bot.findBlocks({ matching: ids, maxDistance: NEAR, count: 1 })
    if (place) found[name === 'cobblestone' ? 'stone' : name] = Math.round(place.distanceTo(bot.entity.position))
  }
  return found
}

/** All of it as a few lines for her. */
const described = (bot, doing) =>
  [...herself(bot), ...surroundings(bot), doing ? `You are doing: ${doing}.` : 'You are doing nothing.'].join('\n')

/** The same for whom it is news: what is around stands first. */
const looked = bot => [...surroundings(bot), ...herself(bot)].join('\n')

/** What decides what to do next, and no more: a small model on a laptop reads fifty words a second. */
function pressing (bot) {
  const { health = 20, food = 20 } = bot
  const held = bot.heldItem ? ` In your hand: ${bot.heldItem.name.replaceAll('_', ' ')}.` : ''
  const weak = Math.min(health, food) < WEAK ? [`Health ${Math.round(health)} of 20, food ${Math.round(food)} of 20.`] : []
  const night = bot.time.isDay === false ? ['It is night.'] : []
  return [...weak, ...night, `You have: ${listed(inventory(bot))}.${held}`, ...surroundings(bot)].join('\n')
}

function herself (bot) {
  const { x, y, z } = bot.entity.position.floored()
  return [
    `You are at x ${x}, y ${y}, z ${z}. Health ${Math.round(bot.health ?? 20)} of 20, food ${Math.round(bot.food ?? 20)} of 20.` +
      (bot.time.isDay === false ? ' It is night.' : ' It is day.'),
    `You have: ${listed(inventory(bot))}. In your hand: ${bot.heldItem?.name.replaceAll('_', ' ') ?? 'nothing'}.`
  ]
}

/** What is near, and how far. */
function surroundings (bot) {
  const near = distances(Object.entries(around(bot)).map(([name, far]) => [name.replaceAll('_', ' '), far]))
  const others = distances(players(bot).slice(0, PLAYERS).map(p => [p.username, away(bot, p.entity)]))
  const danger = distances(foes(bot).slice(0, PLAYERS).map(e => [e.name, away(bot, e)]))
  return [
    `You see ${near || 'nothing that you can use'}.`, ...(others ? [`Players: ${others}.`] : []), ...(danger ? [`Danger: ${danger}.`] : [])
  ]
}

/** "log 4 blocks away, dirt 1": the unit is told once, for a token less a thing is a decision sooner. */
const distances = things =>
  things.map(([name, far], n) => `${name} ${Math.round(far)}${n ? '' : ' blocks away'}`).join(', ')

module.exports = { inventory, gained, foes, players, described, looked, pressing, away, hostile, FAR }
