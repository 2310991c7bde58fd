// Answers questions to the body's pure parts, a JSON line each: [what, ...arguments].
'use strict'
const body = '../engines/minecraft/body/'
const { Lately } = require(`${body}lately.js`)
const { plan, known } = require(`${body}plan.js`)
const { blocks } = require(`${body}plans.js`)
const { wrong } = require(`${body}schema.js`)
const { plain } = require(`${body}session.js`)
const { Skills, embedder } = require(`${body}skills.js`)
const { flaw } = require(`${body}steps.js`)
const { tidy, listed } = require(`${body}names.js`)
const { made } = require('../engines/minecraft/world/recipes.js')
const { hills } = require('../engines/minecraft/world/noise.js')
const registry = require('prismarine-registry')('1.16.5')

const ID = name => name && registry.itemsByName[name].id
const ANSWERS = {
  plan: (item, wanted, have, table, furnace) => plan(item, wanted, have, table, known(registry), furnace),
  blocks,
  wrong,
  plain,
  tidy,
  listed,
  hills,
  flaw,
  skills: async (path, url, script) => { // [method, ...arguments] each; the last one's answer
    const skills = new Skills(path, flaw, embedder(url, 'minilm'))
    let said
    for (const [method, ...given] of script) said = await skills[method](...given)
    return said
  },
  lately: (jobs, names, now) => { // [name, what, success, at] each; what is proposed, and how many are kept
    const lately = new Lately()
    for (const job of jobs) lately.came(...job)
    return [lately.worth(names, now), lately.length]
  },
  made: (grid, width) => {
    const recipe = made(registry.recipes, grid.map(name => ID(name) ?? null), width)
    return recipe ? [registry.items[recipe.result.id].name, recipe.result.count] : null
  }
}
require('readline').createInterface({ input: process.stdin }).on('line', async line => {
  const [what, ...given] = JSON.parse(line)
  let answer
  try {
    answer = { said: await ANSWERS[what](...given) ?? null }
  } catch (error) {
    answer = { error: error.message }
  }
  process.stdout.write(JSON.stringify(answer) + '\n')
})
