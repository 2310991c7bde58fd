'use strict'
// What she can choose to do: actions of the game wire. `run` returns what came of it, in words, or raises Failed.
// `quick` ones need nothing of the body and may be done beside a job; a `brief` one may interrupt a job, which goes on
// afterwards: who asks for it watches, and expects it now. The others are one job at a time. That a `dull` one is done
// is no news for chat. `goal` is whether she may choose it by herself now, `able` whether somebody may wish for it.

const { BUILD } = require('./build')
const { Failed } = require('./job')
const { collect, craft, get } = require('./gather')
const { HOME } = require('./home')
const { dig, go, goals, near, place } = require('./moves')
const { SOURCES, count, listed, mines, tidy } = require('./names')
const { eat } = require('./reflexes')
const { object, some, word } = require('./schema')
const { emptied, product, smelt, smeltable } = require('./smelt')
const { away, looked, foes, gained, inventory } = require('./state')
const { TRAVEL } = require('./travel')

const GETS = ['wooden_pickaxe', 'stone_pickaxe', 'wooden_sword', 'stone_sword', 'stone_axe',
  'crafting_table', 'chest', 'furnace', 'torch', 'charcoal', 'iron_ingot', 'iron_pickaxe']
const COLLECTS = ['log', 'dirt', 'stone', 'sand', 'coal', 'iron_ore']
const SAFE = 16 // blocks to what she fled from
const SAY = 200 // characters of a line in the game's chat

const item = data => tidy(data.item)

const ACTIONS = {
  look: { quick: true, dull: true, description: 'See what is around you.', run: ({ bot }) => looked(bot) },
  inventory: { quick: true, dull: true, description: 'See what you have.', run: ({ bot }) => `You have: ${listed(inventory(bot))}.` },
  say: {
    quick: true,
    dull: true,
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
    seconds: 600,
    async run ({ bot, told }, data, job) {
      const tool = SOURCES[item(data)].tool
      if (tool && !mines(inventory(bot), tool)) await get(bot, job, tool, 1, told)
      await collect(bot, job, item(data), data.count, got => job.progress(got, data.count))
      return gained(bot, job)
    }
  },
  craft: {
    description: 'Craft from what you have.',
    schema: object({ item: word, count: some(16) }),
    seconds: 60,
    run: async ({ bot }, data, job) => { await craft(bot, job, item(data), data.count); return gained(bot, job) }
  },
  smelt: {
    description: 'Smelt what you have in a furnace.',
    goal: bot => smeltable(bot),
    schema: object({ item: word, count: some(16) }),
    seconds: 300,
    async run ({ bot }, data, job) {
      const made = product(item(data))
      if (job.memo.furnace) await emptied(bot, job)
      const goal = job.memo.goal ??= count(inventory(bot), made) + data.count
      const missing = goal - count(inventory(bot), made)
      if (missing > 0) await smelt(bot, job, made, missing, got => job.progress(data.count - missing + got, data.count))
      return gained(bot, job)
    }
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
  attack: {
    brief: true,
    description: 'Attack the nearest monster.',
    able: bot => foes(bot).length > 0,
    seconds: 40,
    async run ({ bot, killed }, data, job) {
      const foe = job.memo.foe ??= foes(bot)[0] ?? fallen(killed, job.began) // a reflex may have been faster
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
    able: bot => foes(bot).length > 0,
    seconds: 30,
    async run ({ bot }, data, job) {
      const [foe] = foes(bot)
      if (!foe) return 'Nothing chases you.'
      await go(bot, job, new goals.GoalInvert(new goals.GoalFollow(foe, 20)), 20_000)
      if (!foe.isValid) return `The ${foe.name} is gone.`
      const far = Math.round(away(bot, foe))
      if (far < SAFE) throw new Failed(`the ${foe.name} is only ${far} blocks away`)
      return `You are ${far} blocks away from the ${foe.name}.`
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
  ...TRAVEL,
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

function fallen (killed, since) {
  return [...killed.values()].reverse().find(({ at }) => at >= since)
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
