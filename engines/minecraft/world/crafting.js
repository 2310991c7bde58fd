'use strict'
// Crafting in the inventory's grid and at a table, judged by the recipes.

const { made } = require('./recipes')
const windows = require('./windows')

const RESULT = 0
const grid = width => Array.from({ length: width * width }, (_, at) => at + 1)

/** The rules of a grid: 2 wide in the inventory, 3 at a table. */
const rules = width => ({
  result: RESULT,
  settle (window, serv) {
    const Item = require('prismarine-item')(serv.registry)
    const recipe = made(serv.registry.recipes, grid(width).map(slot => window.slots[slot]?.type ?? null), width)
    window.updateSlot(RESULT, recipe ? new Item(recipe.result.id, recipe.result.count) : null)
  },
  /** Take what the grid makes, which costs one of each of its items. */
  take (window, player) {
    const result = window.slots[RESULT]
    const [name, count] = [result?.name, result?.count]
    if (!windows.taken(window, RESULT)) return false
    for (const slot of grid(width)) {
      const item = window.slots[slot]
      if (item && --item.count === 0) window.updateSlot(slot, null)
    }
    player.emit('crafted', name, count)
    return true
  },
  close (window, player) {
    window.slots[RESULT] = null
    windows.loosen(window, player, grid(width))
  }
})

function server (serv) {
  windows.server(serv, rules(2))
  serv.onBlockInteraction('crafting_table', ({ player }) => {
    windows.open(serv, player, 'minecraft:crafting', 'Crafting', rules(3))
    return true
  })
}

module.exports = { server }
