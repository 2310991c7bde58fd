'use strict'
// Collecting and crafting. What is reported is the difference of the inventory as the server has told it.

const { Failed } = require('./job')
const { dig, go, goals, pickUp, place, standing, station } = require('./moves')
const { SOURCES, count, members, mines } = require('./names')
const { known, plan } = require('./plan')
const { emptied, smelt } = require('./smelt')
const { FAR, inventory } = require('./state')

const DEEP = 3 // blocks of walking that are as good as one of digging down, and climbing out again
const SETTLE_MS = 250 // for the server to correct what the client believes of its inventory
const WALKS = 6 // times that she looks somewhere else for what is not here
const STRIDE = 32
const STEPS = 60

/** Bring `wanted` more of something than she had when the job began; returns nothing, or raises Failed. */
async function collect (bot, job, name, wanted, progress = () => {}) {
  const source = SOURCES[name] ?? (bot.registry.blocksByName[name] && { blocks: [name] })
  if (!source) throw new Failed(`${name.replaceAll('_', ' ')} cannot be collected`)
  const kinds = SOURCES[name] ? name : drop(bot, name)
  const key = `${name} before`
  job.memo[key] ??= count(inventory(bot), kinds)
  const lost = new Set() // places that did not work out
  let walks = 0
  while (count(inventory(bot), kinds) < job.memo[key] + wanted) {
    job.check()
    progress(count(inventory(bot), kinds) - job.memo[key])
    if (source.tool && !mines(inventory(bot), source.tool)) throw new Failed(`it takes a ${source.tool.replaceAll('_', ' ')}`)
    const block = nearest(bot, source.blocks, lost)
    if (block) await mine(bot, job, block, lost)
    else if (walks++ < WALKS) await explore(bot, job, walks)
    else throw new Failed(`you found no ${name.replaceAll('_', ' ')}`)
  }
  delete job.memo[key]
}

function drop (bot, name) {
  const id = bot.registry.blocksByName[name].drops?.[0]
  return bot.registry.items[id?.drop?.id ?? id]?.name ?? name
}

function nearest (bot, names, lost) {
  const ids = names.map(name => bot.registry.blocksByName[name]?.id).filter(id => id !== undefined)
  const here = bot.entity.position
  const cost = place => place.distanceTo(here) + DEEP * Math.max(0, here.y - place.y) + Math.max(0, place.y - here.y)
  const places = bot.findBlocks({ matching: ids, maxDistance: FAR, count: 256 }).filter(each => !lost.has(String(each)))
  places.sort((a, b) => cost(a) - cost(b))
  return places.length ? bot.blockAt(places[0]) : null
}

async function mine (bot, job, block, lost) {
  lost.add(String(block.position)) // whether it works out or not
  try {
    await go(bot, job, new goals.GoalLookAtBlock(block.position, bot.world, { reach: 4 }), 30_000)
    const there = bot.blockAt(block.position)
    if (there?.type !== block.type) return
    await dig(bot, job, there)
    await pickUp(bot, job, block.position)
  } catch (error) {
    if (!(error instanceof Failed)) throw error
    job.check()
  }
}

/** Walk on in a new direction. */
async function explore (bot, job, turn = 0) {
  const heading = job.memo.heading ??= Math.random() * 2 * Math.PI
  const angle = heading + turn * 2.4 // the golden angle: no direction twice
  const { x, z } = bot.entity.position
  await go(bot, job, new goals.GoalXZ(Math.round(x + STRIDE * Math.cos(angle)), Math.round(z + STRIDE * Math.sin(angle))), 30_000)
}

/** Craft at least `wanted` of something from what she has; true counts, or Failed. */
async function craft (bot, job, name, wanted) {
  const had = count(inventory(bot), name)
  while (count(inventory(bot), name) < had + wanted) {
    job.check()
    const before = JSON.stringify(inventory(bot))
    const [recipe, table] = await choose(bot, job, name)
    const refused = error => { throw new Failed(`crafting did not work (${short(error)})`) }
    await job.wait(bot.craft(recipe, 1, table).catch(refused), undefined, 20_000)
    await job.sleep(SETTLE_MS)
    if (JSON.stringify(inventory(bot)) === before) throw new Failed('the server did not let you craft it')
  }
}

async function choose (bot, job, name) {
  const items = members(name).map(each => bot.registry.itemsByName[each]).filter(Boolean)
  if (!items.length) throw new Failed(`there is no item called ${name.replaceAll('_', ' ')}`)
  for (const item of items) {
    const [byHand] = bot.recipesFor(item.id, null, 1, null)
    if (byHand) return [byHand, null]
  }
  for (const item of items) {
    const [recipe] = bot.recipesFor(item.id, null, 1, true)
    if (recipe) return [recipe, await station(bot, job, 'crafting_table')]
  }
  throw new Failed(`you lack what ${name.replaceAll('_', ' ')} is made of`)
}

/** All that it takes to have one more of an item, step by step; what is already there is used. */
async function get (bot, job, name, wanted, told) {
  const recipes = known(bot.registry)
  const goal = job.memo.goal ??= count(inventory(bot), name) + wanted
  let failures = 0
  for (let n = 0; n < STEPS; n++) {
    job.check()
    let steps
    if (job.memo.furnace) await emptied(bot, job)
    try {
      const [table, furnace] = ['crafting_table', 'furnace'].map(each => standing(bot, each) !== null)
      steps = plan(name, goal, inventory(bot), table, recipes, furnace)
    } catch (error) {
      throw new Failed(error.message)
    }
    if (!steps.length) return
    try {
      await step(bot, job, steps[0])
      job.steps.push(steps[0])
      told(steps[0])
    } catch (error) {
      if (!(error instanceof Failed) || ++failures > 2) throw error
      job.check() // the world may have changed: the plan is made anew
    }
  }
  throw new Failed('it took too many steps')
}

function step (bot, job, { do: what, item, count: n }) {
  if (what === 'collect') return collect(bot, job, item, n)
  if (what === 'place') return place(bot, job, item)
  if (what === 'smelt') return smelt(bot, job, item, n)
  return craft(bot, job, item, n)
}

const short = error => String(error.message ?? error).replace(/^(Error: )+/, '').split('\n')[0].slice(0, 120)

module.exports = { collect, craft, explore, get }
