'use strict'
// What she can choose to do: actions of the game wire. `run` returns what came of it, in words, or raises Failed.
// `quick` ones need nothing of the body and may be done beside a job; a `brief` one may interrupt a job, which goes on
// afterwards: who asks for it watches, and expects it now. The others are one job at a time.

const { BUILD } = require('./build')
const { Failed } = require('./job')
const { collect, craft, explore, get } = require('./gather')
const { HOME } = require('./home')
const { dig, go, goals, near, place } = require('./moves')
const { count, listed, tidy } = require('./names')
const { eat } = require('./reflexes')
const { object, some, word } = require('./schema')
const { away, described, foes, inventory, players } = require('./state')

const GETS = ['wooden_pickaxe', 'stone_pickaxe', 'wooden_sword', 'stone_sword', 'stone_axe',
  'crafting_table', 'chest', 'furnace', 'torch', 'charcoal', 'iron_ingot', 'iron_pickaxe']
const COLLECTS = ['log', 'dirt', 'stone', 'sand', 'coal', 'iron_ore']
const SAY = 200 // characters of a line in the game's chat

const item = data => tidy(data.item)

const ACTIONS = {
  look: { quick: true, description: 'See what is around you.', run: ({ bot }) => described(bot) },
  inventory: { quick: true, description: 'See what you have.', run: ({ bot }) => `You have: ${listed(inventory(bot))}.` },
  say: {
    quick: true,
    description: 'Say something to players in the game.',
    schema: object({ text: { type: 'string', minLength: 1, maxLength: SAY } }),
    async run ({ bot }, { text }) {
      const said = text.replace(/[\u0000-\u001f\u007f§]/g, ' ').trim().replace(/^\/+/, '')
      if (!said) throw new Failed('there was nothing to say')
      bot.chat(said.slice(0, SAY))
      return 'You said it.'
    }
  },
  stop: {
    quick: true,
    description: 'Stop what you are doing.',
    run: ({ stop }) => stop() ? 'You stopped.' : 'You were doing nothing.'
  },
  get: {
    description: 'Get an item, with all that it takes.',
    goal: () => true,
    schema: object({ item: { enum: GETS } }),
    seconds: 900,
    async run ({ bot, told }, data, job) {
      await get(bot, job, item(data), 1, told)
      return `You have ${count(inventory(bot), item(data))} ${item(data).replaceAll('_', ' ')}.`
    }
  },
  collect: {
    description: 'Find and mine a kind of block.',
    goal: () => true,
    schema: object({ item: { enum: COLLECTS }, count: some(16) }),
    seconds: 300,
    run: async ({ bot }, data, job) => { await collect(bot, job, item(data), data.count); return gained(bot, job) }
  },
  craft: {
    description: 'Craft from what you have.',
    schema: object({ item: word, count: some(16) }),
    seconds: 60,
    run: async ({ bot }, data, job) => { await craft(bot, job, item(data), data.count); return gained(bot, job) }
  },
  place: {
    brief: true,
    description: 'Place a block.',
    schema: object({ item: word }),
    seconds: 20,
    async run ({ bot }, data, job) {
      const like = name => name === item(data) || name.endsWith(`_${item(data)}`)
      const [name] = bot.inventory.items().map(each => each.name).filter(like)
      return `You placed it at ${await place(bot, job, name ?? item(data))}.`
    }
  },
  equip: {
    brief: true,
    description: 'Take something into your hand.',
    schema: object({ item: word }),
    seconds: 10,
    async run ({ bot }, data, job) {
      const found = bot.inventory.items().find(each => each.name === item(data))
      if (!found) throw new Failed(`you have no ${data.item}`)
      await job.wait(bot.equip(found, 'hand'))
      if (bot.heldItem?.name !== found.name) throw new Failed('it is not in your hand')
      return `You hold the ${found.displayName}.`
    }
  },
  eat: {
    brief: true,
    description: 'Eat something that you have.',
    goal: bot => bot.food < 18 && bot.inventory.items().some(each => bot.registry.foodsByName[each.name]),
    seconds: 10,
    async run ({ bot }, data, job) {
      const food = bot.inventory.items().find(each => bot.registry.foodsByName[each.name])
      if (!food) throw new Failed('you have nothing to eat')
      if (bot.food >= 20) throw new Failed('you are not hungry')
      return job.wait(eat(bot, food).catch(error => { throw new Failed(error.message) }))
    }
  },
  come: {
    brief: true,
    description: 'Go to a player.',
    schema: object({ player: word }),
    goal: bot => players(bot).length > 0,
    seconds: 60,
    async run ({ bot }, data, job) {
      const player = found(bot, data.player)
      await go(bot, job, new goals.GoalFollow(player.entity, 2))
      return `You stand beside ${player.username}.`
    }
  },
  follow: {
    brief: true,
    description: 'Follow a player.',
    schema: object({ player: word }),
    seconds: 150,
    async run ({ bot }, data, job) {
      const player = found(bot, data.player)
      bot.pathfinder.setGoal(new goals.GoalFollow(player.entity, 3), true)
      job.memo.until ??= Date.now() + 120_000
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
  attack: {
    brief: true,
    description: 'Attack the nearest monster.',
    seconds: 40,
    async run ({ bot, killed }, data, job) {
      const foe = job.memo.foe ??= foes(bot)[0]
      if (!foe) throw new Failed('there is no monster near you')
      while (!killed.has(foe.id)) {
        if (!foe.isValid || away(bot, foe) > 24) throw new Failed(`the ${foe.name} is gone`)
        await go(bot, job, new goals.GoalFollow(foe, 3), 20_000) // its nearness wakes the reflex, which fights or flees
        await job.sleep(200)
      }
      return `The ${foe.name} is dead.`
    }
  },
  flee: {
    brief: true,
    description: 'Run away from monsters.',
    seconds: 30,
    async run ({ bot }, data, job) {
      const [foe] = foes(bot)
      if (!foe) return 'Nothing chases you.'
      await go(bot, job, new goals.GoalInvert(new goals.GoalFollow(foe, 20)), 20_000)
      return `You are ${Math.round(away(bot, foe))} blocks away from the ${foe.name}.`
    }
  },
  explore: {
    description: 'Walk somewhere new.',
    goal: () => true,
    seconds: 60,
    async run ({ bot }, data, job) {
      const from = job.memo.from ??= bot.entity.position.clone()
      await explore(bot, job, 0)
      return `You walked ${Math.round(from.distanceTo(bot.entity.position))} blocks.`
    }
  },
  dig_hole: {
    brief: true,
    description: 'Dig a hole beside you.',
    goal: () => true,
    schema: object({ depth: some(4) }),
    seconds: 90,
    async run ({ bot }, data, job) {
      const top = job.memo.top ??= beside(bot)
      await near(bot, job, top, 2, 20_000)
      for (let deep = 0; deep < data.depth; deep++) {
        const block = bot.blockAt(top.offset(0, -deep, 0))
        if (block.boundingBox !== 'block') continue
        if (!block.diggable || block.name === 'bedrock') break
        await dig(bot, job, block)
      }
      const deep = depth(bot, top)
      if (deep < data.depth) throw new Failed(`the hole is ${deep} deep, no deeper`)
      return `The hole is ${deep} deep.`
    }
  },
  build: BUILD,
  ...HOME
}

/** The game's actions as the wire describes them. */
function announced (actions = ACTIONS) {
  return Object.entries(actions).map(([name, { description, schema }]) => ({ name, description, ...(schema && { schema }) }))
}

/** The names of those that are worth choosing by somebody who has nothing to do. */
function worthwhile (bot) {
  return Object.keys(ACTIONS).filter(name => ACTIONS[name].goal?.(bot))
}

/** The difference to what she had when the job began: no other claim is made. */
function gained (bot, job) {
  const now = inventory(bot)
  const more = Object.fromEntries(Object.entries(now).map(([name, n]) => [name, n - (job.before[name] ?? 0)]))
  return `You got ${listed(more)}.`
}

function found (bot, name) {
  const there = players(bot)
  const player = there.find(each => each.username.toLowerCase() === String(name).toLowerCase())
  if (!player) throw new Failed(`you see no ${name}; there are: ${there.map(each => each.username).join(', ') || 'no players'}`)
  return player
}

function beside (bot) {
  const here = bot.entity.position.floored()
  const place = [[1, 0], [-1, 0], [0, 1], [0, -1]].map(([dx, dz]) => here.offset(dx, -1, dz))
    .find(each => bot.blockAt(each)?.boundingBox === 'block' && bot.blockAt(each.offset(0, 1, 0))?.boundingBox === 'empty')
  if (!place) throw new Failed('there is no ground beside you to dig')
  return place
}

function depth (bot, top) {
  let deep = 0
  while (deep < 8 && bot.blockAt(top.offset(0, -deep, 0))?.boundingBox === 'empty') deep++
  return deep
}

module.exports = { ACTIONS, announced, worthwhile }
