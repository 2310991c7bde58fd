'use strict'
// Building a plan out of what she has, block by block; it stands when the world shows every one of them.

const { goals } = require('mineflayer-pathfinder')
const { Vec3 } = require('vec3')
const { Failed } = require('./job')
const { go } = require('./moves')
const { family } = require('./names')
const { PLANS, blocks } = require('./plans')
const { object } = require('./schema')

const MATERIALS = ['dirt', 'cobblestone', 'stone', 'sandstone', 'bricks', 'stone_bricks', 'planks', 'log'] // the cheapest first
const LOOKS = 6 // blocks around her that are looked over for a site
const REACH = 4
const TRIES = 3 // for a block
const PLACE_MS = 4000
const SETTLE_MS = 250
const SIDES = [[0, -1, 0], [1, 0, 0], [-1, 0, 0], [0, 0, 1], [0, 0, -1], [0, 1, 0]].map(each => new Vec3(...each))

const BUILD = {
  description: 'Build something out of the blocks that you have: dirt, stone, planks or logs.',
  goal: bot => stock(bot) >= 8,
  schema: object({ plan: { enum: Object.keys(PLANS) }, size: { type: 'integer', minimum: 2, maximum: 6 } }),
  seconds: 240,
  run: ({ bot }, data, job) => build(bot, job, data.plan, data.size)
}

async function build (bot, job, plan, size) {
  const cells = job.memo.cells ??= site(bot, plan, plan === 'hut' ? Math.max(3, size) : size)
  const missing = () => cells.filter(cell => !solid(bot, cell))
  if (stock(bot) < missing().length) throw new Failed(`it takes ${missing().length} blocks, and you have ${stock(bot)}`)
  const tries = new Map()
  await asItIs(bot, async () => {
    for (let next; (next = missing().find(cell => support(bot, cell) && (tries.get(cell) ?? 0) < TRIES));) {
      tries.set(next, (tries.get(next) ?? 0) + 1)
      await lay(bot, job, next)
      job.progress(cells.length - missing().length, cells.length)
    }
  })
  await job.sleep(SETTLE_MS)
  const left = missing().length
  if (left) throw new Failed(`only ${cells.length - left} of the ${cells.length} blocks of the ${plan} stand`)
  return `You built the ${plan}: ${cells.length} blocks, at ${cells[0]}.`
}

/** The nearest place for a plan: free, and with ground under all that stands on it; a bridge begins where ground ends. */
function site (bot, plan, size) {
  const here = bot.entity.position.floored()
  const ahead = Math.round(bot.entity.yaw / (Math.PI / 2))
  const around = []
  for (let x = -LOOKS; x <= LOOKS; x++) for (let z = -LOOKS; z <= LOOKS; z++) around.push([x, z])
  around.sort((a, b) => Math.hypot(...a) - Math.hypot(...b))
  const turns = [0, 1, 2, 3].map(turn => blocks(plan, size, (turn + ahead + 4) % 4).map(each => new Vec3(...each)))
  for (const up of [0, -1, 1]) {
    for (const [x, z] of around) {
      const origin = here.offset(x, up, z)
      const found = turns.map(cells => cells.map(cell => cell.plus(origin))).find(cells => fits(bot, plan, cells, origin.y))
      if (found) return found
    }
  }
  throw new Failed(plan === 'bridge' ? 'there is nothing here to bridge' : `there is no level place here for a ${plan}`)
}

function fits (bot, plan, cells, floor) {
  const here = bot.entity.position.floored()
  if (cells.some(cell => !empty(bot, cell) || cell.equals(here) || cell.equals(here.offset(0, 1, 0)))) return false
  if (plan !== 'bridge') return cells.every(cell => cell.y > floor || solid(bot, cell.offset(0, -1, 0)))
  const back = cells[0].minus(cells[1]).plus(cells[0])
  return solid(bot, back) && [...cells, back].every(cell => empty(bot, cell.offset(0, 1, 0)) && empty(bot, cell.offset(0, 2, 0)))
}

async function lay (bot, job, cell) {
  const item = bot.inventory.items().filter(usable).sort((a, b) => worth(a) - worth(b))[0]
  if (!item) throw new Failed('you have no blocks left')
  try {
    await go(bot, job, new goals.GoalPlaceBlock(cell, bot.world, { range: REACH, LOS: false }), 20_000)
    await job.wait(bot.equip(item, 'hand'))
    const side = support(bot, cell)
    if (!side) return
    await job.wait(bot.placeBlock(bot.blockAt(cell.plus(side)), side.scaled(-1)), undefined, PLACE_MS)
  } catch {
    job.check() // the server refused it, or there is no way: perhaps later
  }
}

/** Without breaking what stands, or leaving blocks where she walked. */
async function asItIs (bot, doing) {
  const moves = bot.pathfinder.movements
  const { canDig, scafoldingBlocks } = moves
  Object.assign(moves, { canDig: false, scafoldingBlocks: [] })
  try {
    await doing()
  } finally {
    Object.assign(moves, { canDig, scafoldingBlocks })
  }
}

const worth = item => MATERIALS.indexOf(family(item.name))
const usable = item => worth(item) >= 0
const stock = bot => bot.inventory.items().filter(usable).reduce((sum, { count }) => sum + count, 0)
const solid = (bot, cell) => bot.blockAt(cell)?.boundingBox === 'block'
const empty = (bot, cell) => { const block = bot.blockAt(cell); return block?.boundingBox === 'empty' && block.name !== 'lava' }
const support = (bot, cell) => SIDES.find(side => solid(bot, cell.plus(side)))

module.exports = { BUILD }
