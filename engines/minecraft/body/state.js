'use strict'
// What she knows of the world around her, short and true: read from the connection now, never remembered.

const { SOURCES, listed } = require('./names')

const FAR = 48 // blocks that are looked over
const NEAR = 24
const PLAYERS = 5
const SHARP = ['zombie', 'skeleton', 'spider', 'creeper', 'husk', 'drowned', 'stray', 'witch', 'pillager', 'slime',
  'phantom']

/** {item: count} of everything that she has. */
function inventory (bot) {
  const found = {}
  for (const item of bot.inventory.items()) found[item.name] = (found[item.name] ?? 0) + item.count
  return found
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
function described (bot, doing) {
  const { x, y, z } = bot.entity.position.floored()
  const lines = [
    `You are at x ${x}, y ${y}, z ${z}. Health ${Math.round(bot.health ?? 20)} of 20, food ${Math.round(bot.food ?? 20)} of 20.` +
      (bot.time.isDay === false ? ' It is night.' : ' It is day.'),
    `You have: ${listed(inventory(bot))}. In your hand: ${bot.heldItem?.name.replaceAll('_', ' ') ?? 'nothing'}.`
  ]
  const near = Object.entries(around(bot)).map(([name, far]) => `${name.replaceAll('_', ' ')} ${far} blocks away`)
  lines.push(`Around you: ${near.join(', ') || 'nothing that you can use'}.`)
  const others = players(bot).slice(0, PLAYERS).map(p => `${p.username} ${Math.round(away(bot, p.entity))} blocks away`)
  if (others.length) lines.push(`Players: ${others.join(', ')}.`)
  const danger = foes(bot).slice(0, PLAYERS).map(e => `${e.name} ${Math.round(away(bot, e))} blocks away`)
  if (danger.length) lines.push(`Danger: ${danger.join(', ')}.`)
  if (doing) lines.push(`You are doing: ${doing}.`)
  return lines.join('\n')
}

module.exports = { inventory, foes, players, described, away, FAR }
