'use strict'
// Several actions as one: what she makes up for something new that is wanted, and what she knows from before. Each step
// is an action like any other, checked by its schema and by its outcome; the first that fails ends it.

const { ACTIONS } = require('./actions')
const { Failed } = require('./job')
const { inventory } = require('./state')
const { some, word, wrong } = require('./schema')

const STEPS = ['get', 'collect', 'craft', 'smelt', 'place', 'equip', 'eat', 'dig_hole', 'explore', 'come', 'go_to',
  'attack', 'build', 'store', 'take', 'sleep']
const MOST = 6
const SECONDS = 900
const step = {
  type: 'object',
  properties: {
    action: { enum: STEPS },
    item: word,
    count: some(16),
    depth: some(4),
    player: word,
    where: word,
    plan: ACTIONS.build.schema.properties.plan,
    size: some(6)
  },
  required: ['action']
}

const DO_STEPS = {
  description: 'Only for what takes several of the others: do them one after the other. The goal is what for.',
  schema: {
    type: 'object',
    properties: {
      goal: { type: 'string', minLength: 3, maxLength: 80 },
      steps: { type: 'array', minItems: 2, maxItems: MOST, items: step }
    },
    required: ['goal', 'steps']
  },
  seconds: SECONDS,
  said: data => data.goal,
  run: (context, data, job) => all(context, data.steps, job)
}

/** The action that does one of these skills again. */
function useSkill (skills) {
  const told = skills.map(({ name, goal }) => `${name} (${goal})`).join('; ')
  return {
    description: `Do again what you have done before: ${told}.`,
    schema: { type: 'object', properties: { name: { enum: skills.map(({ name }) => name) } }, required: ['name'] },
    seconds: SECONDS,
    said: data => data.name,
    run: (context, data, job) => all(context, skills.find(({ name }) => name === data.name).steps, job)
  }
}

/** What is wrong with steps, in words, or "". */
function flaw (steps) {
  if (!Array.isArray(steps) || steps.length < 2 || steps.length > MOST) return `There must be 2 to ${MOST} steps.`
  for (const each of steps) {
    if (!STEPS.includes(each?.action)) return `A step's action must be one of ${STEPS.join(', ')}.`
    const why = wrong(ACTIONS[each.action].schema, each)
    if (why) return `In the step ${each.action}: ${why}`
  }
  return ''
}

async function all (context, steps, job) {
  const why = flaw(steps)
  if (why) throw new Failed(why)
  const done = job.memo.done ??= []
  while (done.length < steps.length) { // after an interruption: from the step that it was in
    const { action, ...data } = steps[done.length]
    const own = job.memo.own ??= { memo: {}, before: inventory(context.bot), began: Date.now() }
    try {
      done.push(await ACTIONS[action].run(context, data, job.part(own)))
    } catch (error) {
      if (!(error instanceof Failed)) throw error
      throw new Failed(`step ${done.length + 1} of ${steps.length} (${action.replaceAll('_', ' ')}) did not work: ${error.message}`)
    }
    delete job.memo.own
  }
  return done.join(' ')
}

module.exports = { DO_STEPS, useSkill, flaw }
