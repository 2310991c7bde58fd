'use strict'
// Kinds of thing as people say them: "log" is any log. Pure.

const WOODS = ['oak', 'spruce', 'birch', 'jungle', 'acacia', 'dark_oak', 'mangrove', 'cherry', 'pale_oak']
const FAMILIES = {
  log: WOODS.map(wood => `${wood}_log`),
  planks: WOODS.map(wood => `${wood}_planks`)
}
// Where things come from that are not crafted: the blocks, and the items that these give.
const SOURCES = {
  log: { blocks: FAMILIES.log },
  dirt: { blocks: ['dirt', 'grass_block'] },
  sand: { blocks: ['sand'] },
  gravel: { blocks: ['gravel'] },
  cobblestone: { blocks: ['stone', 'cobblestone'], tool: 'wooden_pickaxe' },
  coal: { blocks: ['coal_ore', 'deepslate_coal_ore'], tool: 'wooden_pickaxe' },
  raw_iron: { blocks: ['iron_ore', 'deepslate_iron_ore'], tool: 'stone_pickaxe', items: ['raw_iron', 'iron_ore'] }
}
// What a furnace makes, and what of.
const SMELTS = { iron_ingot: 'raw_iron', charcoal: 'log', glass: 'sand' }
const FUELS = ['coal', 'charcoal', 'planks', 'log', 'stick'] // the best first
const PER_FUEL = { coal: 8, charcoal: 8, planks: 1.5, log: 1.5, stick: 0.5 } // things that one smelts
const ALIASES = { wood: 'log', logs: 'log', tree: 'log', trees: 'log', stone: 'cobblestone', iron: 'iron_ingot', grass_block: 'dirt', iron_ore: 'raw_iron', coal_ore: 'coal' }
const PICKAXES = ['wooden_pickaxe', 'golden_pickaxe', 'stone_pickaxe', 'iron_pickaxe', 'diamond_pickaxe', 'netherite_pickaxe']

/** The family of an item, or the item. */
function family (item) {
  for (const [name, members] of Object.entries(FAMILIES)) if (members.includes(item)) return name
  return item
}

/** The items that count as `name`. */
function members (name) { return FAMILIES[name] ?? SOURCES[name]?.items ?? [name] }

/** How many of `name` an inventory ({item: count}) has: of one kind, since a recipe takes one kind. */
function count (inventory, name) {
  return Math.max(0, ...[name, ...members(name)].map(item => inventory[item] ?? 0))
}

/** Whether what is held mines what needs `tool`. */
function mines (inventory, tool) {
  return PICKAXES.slice(PICKAXES.indexOf(tool)).some(each => inventory[each] > 0)
}

const tidy = word => {
  const name = String(word).toLowerCase().trim().replace(/^minecraft:/, '').replaceAll(' ', '_')
  return ALIASES[name] ?? name
}

/** {oak_log: 3} as "3 oak log". */
function listed (items) {
  const said = Object.entries(items).filter(([, n]) => n > 0).map(([item, n]) => `${n} ${item.replaceAll('_', ' ')}`)
  return said.length ? said.join(', ') : 'nothing'
}

module.exports = { SOURCES, SMELTS, FUELS, PER_FUEL, family, members, count, mines, tidy, listed }
