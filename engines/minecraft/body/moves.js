'use strict'
// Moves that skills are made of: going, digging, placing, picking up. Each ends when the world shows it, or fails.

const { goals } = require('mineflayer-pathfinder')
const { Vec3 } = require('vec3')
const { Failed } = require('./job')
const { FAR, inventory } = require('./state')

const DIG_MS = 30_000
const DROP_MS = 3000
const AROUND = [[1, 0], [-1, 0], [0, 1], [0, -1], [1, 1], [-1, -1], [1, -1], [-1, 1], [2, 0], [0, 2], [-2, 0], [0, -2]]

/** Walk until `goal` is reached; where no way is found, she may also build a pillar under herself. */
async function go (bot, job, goal, ms = 60_000) {
  try {
    await walk(bot, job, goal, ms)
  } catch (error) {
    if (!(error instanceof Failed)) throw error
    bot.pathfinder.movements.allow1by1towers = true
    try {
      await walk(bot, job, goal, ms / 2)
    } finally {
      bot.pathfinder.movements.allow1by1towers = false
    }
  }
}

async function walk (bot, job, goal, ms) {
  try {
    await job.wait(bot.pathfinder.goto(goal), () => bot.pathfinder.setGoal(null), ms)
  } catch (error) {
    if (['NoPath', 'Timeout', 'PathStopped', 'GoalChanged'].includes(error.name)) {
      job.check()
      throw new Failed('there is no way to it')
    }
    throw error
  }
}

const near = (bot, job, place, range = 2, ms) => go(bot, job, new goals.GoalNear(place.x, place.y, place.z, range), ms)

/** Break a block with the best tool at hand, and see that it is gone. */
async function dig (bot, job, block) {
  const tool = bot.pathfinder.bestHarvestTool(block)
  if (tool) await job.wait(bot.equip(tool, 'hand'))
  await job.wait(bot.dig(block, true), () => bot.stopDigging(), DIG_MS)
  if (bot.blockAt(block.position)?.name === block.name) throw new Failed('the block is still there')
}

/** Walk over what dropped near a place, as long as it brings something. */
async function pickUp (bot, job, place) {
  const ends = Date.now() + DROP_MS
  const had = JSON.stringify(inventory(bot))
  while (Date.now() < ends) {
    const drop = Object.values(bot.entities).filter(e => e.name === 'item' && e.position.distanceTo(place) < 6)
      .sort((a, b) => a.position.distanceTo(bot.entity.position) - b.position.distanceTo(bot.entity.position))[0]
    if (drop && drop.position.distanceTo(bot.entity.position) > 1) {
      try {
        await near(bot, job, drop.position, 0, 2500)
      } catch (error) {
        if (!(error instanceof Failed)) throw error
        return // it fell where she cannot go
      }
    }
    if (JSON.stringify(inventory(bot)) !== had) return
    await job.sleep(100)
  }
}

/** Put a block from the inventory onto the ground beside her; where it stands. */
async function place (bot, job, name) {
  const item = bot.inventory.items().find(each => each.name === name)
  if (!item) throw new Failed(`you have no ${name.replaceAll('_', ' ')}`)
  await job.wait(bot.equip(item, 'hand'))
  for (const [dx, dz] of AROUND) {
    for (const dy of [0, 1, -1]) {
      const target = bot.entity.position.floored().offset(dx, dy, dz)
      const [ground, there] = [bot.blockAt(target.offset(0, -1, 0)), bot.blockAt(target)]
      if (ground?.boundingBox !== 'block' || there?.boundingBox !== 'empty' || there.name === 'lava') continue
      if (Object.values(bot.entities).some(e => e.position.distanceTo(target.offset(0.5, 0, 0.5)) < 0.9)) continue
      try {
        await job.wait(bot.placeBlock(ground, new Vec3(0, 1, 0)), undefined, 4000)
      } catch {
        job.check() // the server refused this place
      }
      if (bot.blockAt(target)?.name === name) return target
    }
  }
  throw new Failed(`there is no room to place the ${name.replaceAll('_', ' ')} here`)
}

/** The nearest block to work at, such as a furnace, with her beside it; one from the inventory where there is none. */
async function station (bot, job, name) {
  let block = standing(bot, name)
  if (!block && inventory(bot)[name]) {
    await place(bot, job, name)
    block = standing(bot, name)
  }
  if (!block) throw new Failed(`it takes a ${name.replaceAll('_', ' ')}`)
  await near(bot, job, block.position, 2, 30_000)
  return block
}

const standing = (bot, name) => bot.findBlock({ matching: bot.registry.blocksByName[name].id, maxDistance: FAR })

module.exports = { go, near, dig, pickUp, place, station, standing, goals }
