'use strict'
// Where she goes: to people, to things that she sees, to coordinates, or anywhere that is new.

const { explore } = require('./gather')
const { Failed } = require('./job')
const { go, goals } = require('./moves')
const { SOURCES, tidy } = require('./names')
const { object, word } = require('./schema')
const { FAR, away, players } = require('./state')

const FOLLOWS_MS = 120_000
const CLOSE = 4 // blocks to a thing beside which she stands
const NEW = 8 // blocks from where she was, to be somewhere new
const LIMIT = 30_000_000 // blocks that a world is wide, each way
const COORDINATES = /^(-?\d{1,8})[\s,]+(?:-?\d{1,4}[\s,]+)?(-?\d{1,8})$/ // "120 -40" or "120 64 -40"

const TRAVEL = {
  come: {
    brief: true,
    description: 'Go to a player.',
    schema: object({ player: word }),
    goal: bot => players(bot).length > 0,
    seconds: 60,
    async run ({ bot }, data, job) {
      const player = found(bot, data.player)
      await go(bot, job, new goals.GoalFollow(player.entity, 2))
      const there = bot.players[player.username]?.entity
      if (!there) throw new Failed(`${player.username} is out of sight`)
      const far = away(bot, there)
      if (far > CLOSE) throw new Failed(`${player.username} is still ${Math.round(far)} blocks away`)
      return `You stand beside ${player.username}.`
    }
  },
  go_to: {
    brief: true,
    description: 'Go to a thing that you see, or to "x z".',
    schema: object({ where: word }),
    seconds: 90,
    async run ({ bot }, data, job) {
      const { goal, there, named } = job.memo.aim ??= aim(bot, data.where)
      await go(bot, job, goal, 80_000)
      const far = there(bot.entity.position)
      if (far > CLOSE) throw new Failed(`you are still ${Math.round(far)} blocks away`)
      return `You stand ${named}.`
    }
  },
  follow: {
    brief: true,
    description: 'Follow a player.',
    able: bot => players(bot).length > 0,
    schema: object({ player: word }),
    seconds: 150,
    async run ({ bot }, data, job) {
      const player = found(bot, data.player)
      bot.pathfinder.setGoal(new goals.GoalFollow(player.entity, 3), true)
      job.memo.until ??= Date.now() + FOLLOWS_MS
      try {
        while (Date.now() < job.memo.until) {
          await job.sleep(500)
          if (!bot.players[player.username]?.entity) throw new Failed(`${player.username} is out of sight`)
        }
      } finally {
        bot.pathfinder.setGoal(null)
      }
      if (away(bot, player.entity) > 8) throw new Failed(`${player.username} is too far ahead`)
      return `You followed ${player.username} for two minutes.`
    }
  },
  explore: {
    description: 'Walk somewhere new.',
    dull: true,
    goal: () => true,
    seconds: 60,
    async run ({ bot }, data, job) {
      const from = job.memo.from ??= bot.entity.position.clone()
      await explore(bot, job, 0)
      const far = Math.round(from.distanceTo(bot.entity.position))
      if (far < NEW) throw new Failed(`you are only ${far} blocks from where you were`)
      return `You walked ${far} blocks.`
    }
  }
}

function found (bot, name) {
  const there = players(bot)
  const player = there.find(each => each.username.toLowerCase() === String(name).toLowerCase())
  if (!player) throw new Failed(`you see no ${name}; there are: ${there.map(each => each.username).join(', ') || 'no players'}`)
  return player
}

/** {goal, there(position): blocks that are left, named}. Raises Failed. */
function aim (bot, where) {
  const at = COORDINATES.exec(where.trim())
  if (at) return column(Number(at[1]), Number(at[2]))
  const name = tidy(where)
  const like = SOURCES[name]?.blocks ?? bot.registry.blocksArray.map(block => block.name)
    .filter(each => each === name || each.endsWith(`_${name}`))
  const block = like.length && bot.findBlock({ matching: like.map(each => bot.registry.blocksByName[each]?.id), maxDistance: FAR })
  if (!block) throw new Failed(`you see no ${where}`)
  const { x, y, z } = block.position
  return {
    goal: new goals.GoalNear(x, y, z, 2),
    there: position => position.distanceTo(block.position),
    named: `beside the ${block.displayName.toLowerCase()}`
  }
}

function column (x, z) {
  if (Math.max(Math.abs(x), Math.abs(z)) > LIMIT) throw new Failed('the world ends before that')
  return { goal: new goals.GoalNearXZ(x, z, 1), there: position => Math.hypot(position.x - x, position.z - z), named: `at x ${x}, z ${z}` }
}

module.exports = { TRAVEL }
