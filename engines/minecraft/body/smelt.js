'use strict'
// Furnaces: what is smelted counts when it is in the inventory again.

const { Failed } = require('./job')
const { near, standing, station } = require('./moves')
const { FUELS, PER_FUEL, SMELTS, members } = require('./names')
const { inventory } = require('./state')

const OPEN_MS = 5000
const LOOK_MS = 500
const COLD_MS = 20_000 // without anything new it has gone out; one thing takes ten seconds
const SETTLE_MS = 250
const hers = new Set() // places of furnaces in which her things lie, of a job that did not end well

/** Smelt `wanted` of something; true counts, or Failed. */
async function smelt (bot, job, name, wanted, progress = () => {}) {
  const from = SMELTS[name]
  if (!from) throw new Failed(`a furnace makes no ${name.replaceAll('_', ' ')}`)
  const input = most(bot, from)
  if (!input || input.count < wanted) throw new Failed(`you have too little ${from.replaceAll('_', ' ')}`)
  const burns = fuel(bot, input, wanted)
  if (!burns) throw new Failed('you have nothing to burn')
  const block = await station(bot, job, 'furnace')
  const furnace = await job.wait(bot.openFurnace(block), undefined, OPEN_MS)
  try {
    if (hers.has(String(block.position))) await takeAll(furnace, job)
    if (furnace.inputItem() || furnace.outputItem()) throw new Failed('somebody else uses the furnace')
    job.memo.furnace = block.position // from now on what is in it is hers
    hers.add(String(block.position))
    await job.wait(furnace.putInput(input.type, null, wanted))
    await job.wait(furnace.putFuel(burns.type, null, burns.count))
    await burnt(furnace, job, wanted, progress)
  } finally {
    furnace.close()
  }
  await settled(job)
}

async function burnt (furnace, job, wanted, progress) {
  let [made, since] = [0, Date.now()]
  while (made < wanted) {
    await job.sleep(LOOK_MS)
    const output = furnace.outputItem()
    if (output) {
      [made, since] = [made + output.count, Date.now()]
      progress(made)
      await job.wait(furnace.takeOutput())
    } else if (Date.now() - since > COLD_MS) throw new Failed('the furnace has gone out')
  }
}

/** After an interruption: out of the furnace again with what she had put in. */
async function emptied (bot, job) {
  const at = job.memo.furnace
  await near(bot, job, at, 2, 20_000)
  const furnace = await job.wait(bot.openFurnace(bot.blockAt(at)), undefined, OPEN_MS)
  try {
    await takeAll(furnace, job)
  } finally {
    furnace.close()
  }
  await settled(job)
}

async function takeAll (furnace, job) {
  for (const [item, take] of [['outputItem', 'takeOutput'], ['inputItem', 'takeInput'], ['fuelItem', 'takeFuel']]) {
    if (furnace[item]()) await job.wait(furnace[take]())
  }
}

/** Nothing of hers lies there any more. */
async function settled (job) {
  await job.sleep(SETTLE_MS)
  hers.delete(String(job.memo.furnace))
  delete job.memo.furnace
}

/** What a furnace makes of something, or the thing itself. */
const product = name => Object.keys(SMELTS).find(made => made === name || SMELTS[made] === name) ?? name

/** Whether she has something to smelt, something else to burn and a furnace. */
function smeltable (bot) {
  if (!inventory(bot).furnace && !standing(bot, 'furnace')) return false
  return Object.values(SMELTS).map(from => most(bot, from)).some(input => input && fuel(bot, input, 1))
}

/** Of which kind she has the most: {type, count, name}. */
function most (bot, name) {
  const had = inventory(bot)
  const [kind] = [name, ...members(name)].filter(each => had[each]).sort((a, b) => had[b] - had[a])
  return kind && { name: kind, type: bot.registry.itemsByName[kind].id, count: had[kind] }
}

/** What burns for so long, beside what is smelted; or undefined. */
function fuel (bot, input, wanted) {
  for (const name of FUELS) {
    const had = most(bot, name)
    const count = Math.ceil(wanted / PER_FUEL[name])
    const spare = had && had.count - (had.name === input.name ? wanted : 0)
    if (spare >= count) return { ...had, count }
  }
}

module.exports = { smelt, smeltable, product, emptied }
