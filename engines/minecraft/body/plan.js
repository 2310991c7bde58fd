'use strict'
// What has to be done for an item, as steps: collect, craft, smelt, place a table. Pure, so it is asked anew after each step.

const { FUELS, PER_FUEL, SMELTS, SOURCES, count, family, mines } = require('./names')

const DEEPEST = 12

/** `recipes(item)`: [{makes, needs: {item: count}, table}] of families. `have`: {item: count}; `table`, `furnace`: one is near.
 *  Returns steps [{do, item, count}], or throws an Error that says what cannot be had. */
function plan (item, wanted, have, table, recipes, furnace = false) {
  const state = { have: { ...have }, crafting_table: table, furnace, steps: [], recipes }
  ensure(state, item, wanted, 0)
  return merged(state.steps)
}

function ensure (state, item, wanted, depth) {
  const missing = wanted - count(state.have, item)
  if (missing <= 0) return
  if (depth > DEEPEST) throw new Error(`no way to get ${item.replaceAll('_', ' ')} is known`)
  const source = SOURCES[item]
  if (source) {
    if (source.tool && !mines(state.have, source.tool)) ensure(state, source.tool, 1, depth + 1)
    state.steps.push({ do: 'collect', item, count: missing })
    add(state.have, item, missing)
    return
  }
  if (SMELTS[item]) return smelted(state, item, missing, depth)
  const recipe = state.recipes(item).find(each => each.makes > 0)
  if (!recipe) throw new Error(`no way to get ${item.replaceAll('_', ' ')} is known`)
  const times = Math.ceil(missing / recipe.makes)
  if (recipe.table) stand(state, 'crafting_table', depth)
  for (const [part, each] of Object.entries(recipe.needs)) {
    ensure(state, part, each * times, depth + 1)
    add(state.have, part, -each * times) // it is spoken for
  }
  state.steps.push({ do: 'craft', item, count: times * recipe.makes })
  add(state.have, item, times * recipe.makes)
}

function smelted (state, item, missing, depth) {
  stand(state, 'furnace', depth)
  ensure(state, SMELTS[item], missing, depth + 1)
  add(state.have, SMELTS[item], -missing)
  const needed = fuel => Math.ceil(missing / PER_FUEL[fuel])
  const fuel = FUELS.find(each => count(state.have, each) >= needed(each)) ?? 'log'
  ensure(state, fuel, needed(fuel), depth + 1)
  add(state.have, fuel, -needed(fuel))
  state.steps.push({ do: 'smelt', item, count: missing })
  add(state.have, item, missing)
}

/** See that there is one near to work at. */
function stand (state, block, depth) {
  if (state[block]) return
  ensure(state, block, 1, depth + 1)
  add(state.have, block, -1)
  state.steps.push({ do: 'place', item: block, count: 1 })
  state[block] = true
}

function add (have, item, more) {
  const name = Object.keys(have).filter(each => family(each) === item).sort((a, b) => have[b] - have[a])[0] ?? item
  have[name] = (have[name] ?? 0) + more
  if (name !== item && family(name) !== name) have[item] = have[name] // a family is counted by its name, too
}

/** All of one thing that is collected, at its first place: one walk instead of three. */
function merged (steps) {
  const first = {}
  return steps.filter(step => {
    if (step.do !== 'collect') return true
    if (first[step.item]) first[step.item].count += step.count
    else first[step.item] = step
    return first[step.item] === step
  })
}

/** minecraft-data's recipes of an item as plan() takes them, fewest parts first. */
function known (registry) {
  const named = id => family(registry.items[id].name)
  const id = part => Array.isArray(part) ? part[0] : (part?.id ?? part)
  return item => {
    const made = registry.itemsArray.filter(each => family(each.name) === item).map(each => each.id)
    const found = new Map()
    for (const recipe of made.flatMap(each => registry.recipes[each] ?? [])) {
      const parts = (recipe.inShape?.flat() ?? recipe.ingredients ?? []).map(id).filter(part => part !== null && part !== -1)
      const needs = {}
      for (const part of parts) needs[named(part)] = (needs[named(part)] ?? 0) + 1
      if (item in needs) continue
      const table = recipe.inShape ? recipe.inShape.length > 2 || recipe.inShape.some(row => row.length > 2) : parts.length > 4
      found.set(JSON.stringify(needs), { makes: recipe.result.count, needs, table })
    }
    const strange = ({ needs }) => Object.keys(needs).filter(part => !SOURCES[part] && !['planks', 'stick'].includes(part)).length
    return [...found.values()].sort((a, b) => strange(a) - strange(b))
  }
}

module.exports = { plan, known }
