'use strict'
// Chests: each keeps what lies in it, and who looks into one sees what others do there.

const windows = require('./windows')

const ROOM = 27

/** Returns what lies in all of them: {place: [item or null, ...]}. */
function server (serv) {
  const chests = windows.keep(serv, ROOM)
  serv.onBlockInteraction('chest', ({ player, block }) => {
    if (player.crouching) return false
    const chest = chests.at(block.position)
    const window = windows.open(serv, player, 'minecraft:generic_9x3', 'Chest', rules(chest, player, serv), chest.slots)
    chest.watching.set(player, window)
    return true
  })
  return () => Object.fromEntries([...chests.all].map(([place, { slots }]) => [place, slots]))
}

const rules = (chest, player, serv) => ({
  settle (window) {
    chest.slots = window.slots.slice(0, ROOM).map(item => item ?? null)
    windows.show(chest, serv, player)
  },
  close: () => chest.watching.delete(player) // what lies in it stays there
})

module.exports = { server }
