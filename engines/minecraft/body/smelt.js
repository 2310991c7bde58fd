'use strict'
// Furnaces: what is smelted counts when it is in the inventory again.

const { Failed } = require('./job')
const { near, station } = require('./moves')
const { FUELS, PER_FUEL, SMELTS, members } = require('./names')
const { inventory } = require('./state')

const OPEN_MS = 5000
const LOOK_MS = 500
const COLD_MS = 20_000 // without anything new it has gone out; one thing takes ten seconds
const SETTLE_MS = 250

/** Smelt `wanted` of something; true counts, or Failed. */
async function smelt (bot, job, name, wanted) {
  const from = SMELTS[name]
  if (!from) throw new Failed(`a furnace makes no ${name.replaceAll('_', ' ')}`)
  const input = most(bot, from)
  if (!input || input.count < wanted) throw new Failed(`you have too little ${from.replaceAll('_', ' ')}`)
  const fuel = burnable(bot, input, wanted)
  const block = await station(bot, job, 'furnace')
  job.memo.furnace = block.position
  const furnace = await job.wait(bot.openFurnace(block), undefined, OPEN_MS)
  try {
    if (furnace.inputItem() || furnace.outputItem()) throw new Failed('somebody else uses the furnace')
    await job.wait(furnace.putInput(input.type, null, wanted))
    await job.wait(furnace.putFuel(fuel.type, null, fuel.count))
    await burnt(furnace, job, wanted)
  } finally {
    furnace.close()
  }
  await job.sleep(SETTLE_MS)
  delete job.memo.furnace
}

async function burnt (furnace, job, wanted) {
  let [made, since] = [0, Date.now()]
  while (made < wanted) {
    await job.sleep(LOOK_MS)
    const output = furnace.outputItem()
    if (output) {
      [made, since] = [made + output.count, Date.now()]
      await job.wait(furnace.takeOutput())
    } else if (Date.now() - since > COLD_MS) throw new Failed('the furnace has gone out')
  }
}

/** After an interruption: out of the furnace again with what she had put in. */
async function emptied (bot, job) {
  const at = job.memo.furnace
  delete job.memo.furnace
  await near(bot, job, at, 2, 20_000)
  const furnace = await job.wait(bot.openFurnace(bot.blockAt(at)), undefined, OPEN_MS)
  try {
    for (const [item, take] of [['outputItem', 'takeOutput'], ['inputItem', 'takeInput'], ['fuelItem', 'takeFuel']]) {
      if (furnace[item]()) await job.wait(furnace[take]())
    }
  } finally {
    furnace.close()
  }
  await job.sleep(SETTLE_MS)
}

/** Of which kind she has the most: {type, count, name}. */
function most (bot, name) {
  const had = inventory(bot)
  const [kind] = [name, ...members(name)].filter(each => had[each]).sort((a, b) => had[b] - had[a])
  return kind && { name: kind, type: bot.registry.itemsByName[kind].id, count: had[kind] }
}

/** What burns for so long, beside what is smelted. */
function burnable (bot, input, wanted) {
  for (const name of FUELS) {
    const fuel = most(bot, name)
    const count = Math.ceil(wanted / PER_FUEL[name])
    const spare = fuel && fuel.count - (fuel.name === input.name ? wanted : 0)
    if (spare >= count) return { ...fuel, count }
  }
  throw new Failed('you have nothing to burn')
}

module.exports = { smelt, emptied }
