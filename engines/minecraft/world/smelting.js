'use strict'
// Furnaces: each keeps what lies in it and goes on when nobody looks. In the real game a thing takes ten seconds.

const windows = require('./windows')

const [INPUT, FUEL, OUTPUT] = [0, 1, 2]
const TICK_MS = 100
const MAKES = { raw_iron: 'iron_ingot', iron_ore: 'iron_ingot', raw_gold: 'gold_ingot', gold_ore: 'gold_ingot', sand: 'glass',
  cobblestone: 'stone', beef: 'cooked_beef', porkchop: 'cooked_porkchop', chicken: 'cooked_chicken', mutton: 'cooked_mutton',
  potato: 'baked_potato' }
const FUELS = [[/^(coal|charcoal)$/, 80_000], [/_(log|planks)$/, 15_000], [/^stick$/, 5000]] // milliseconds that one burns

const makes = item => MAKES[item?.name] ?? (item?.name.endsWith('_log') ? 'charcoal' : undefined)
const burns = item => FUELS.find(([name]) => name.test(item?.name ?? ''))?.[1] ?? 0

/** `cook`: milliseconds that a thing takes. */
function server (serv, cook) {
  const furnaces = windows.keep(serv, 3, { burning: 0, done: 0 })
  serv.onBlockInteraction('furnace', ({ player, block }) => {
    const furnace = furnaces.at(block.position)
    const window = windows.open(serv, player, 'minecraft:furnace', 'Furnace', rules(furnace, player), furnace.slots)
    furnace.watching.set(player, window)
    return true
  })
  setInterval(() => furnaces.all.forEach(furnace => step(furnace, serv, cook)), TICK_MS)
}

const rules = (furnace, player) => ({
  result: OUTPUT,
  take: window => windows.taken(window, OUTPUT),
  settle: window => { for (const slot of [INPUT, FUEL, OUTPUT]) furnace.slots[slot] = window.slots[slot] ?? null },
  close: () => furnace.watching.delete(player) // what lies in it stays there
})

/** A tenth of a second of a furnace. */
function step (furnace, serv, cook) {
  const made = makes(furnace.slots[INPUT])
  const room = !furnace.slots[OUTPUT] || (furnace.slots[OUTPUT].name === made && furnace.slots[OUTPUT].count < furnace.slots[OUTPUT].stackSize)
  if (furnace.burning > 0) furnace.burning -= TICK_MS
  if (!made || !room) {
    furnace.done = 0
    return
  }
  if (furnace.burning <= 0) {
    const fuel = burns(furnace.slots[FUEL])
    if (!fuel) return
    furnace.burning = fuel
    spend(furnace, FUEL)
    windows.show(furnace, serv)
  }
  furnace.done += TICK_MS
  if (furnace.done < cook) return
  furnace.done = 0
  spend(furnace, INPUT)
  const Item = require('prismarine-item')(serv.registry)
  if (furnace.slots[OUTPUT]) furnace.slots[OUTPUT].count++
  else furnace.slots[OUTPUT] = new Item(serv.registry.itemsByName[made].id, 1)
  furnace.watching.forEach((window, player) => player.emit('smelted', made))
  windows.show(furnace, serv)
}

function spend (furnace, slot) {
  const item = furnace.slots[slot]
  if (--item.count === 0) furnace.slots[slot] = null
}

module.exports = { server }
