'use strict'
// Windows: flying-squid answers no click in one; here each is done, told to the client, and judged by the rules of
// whoever opened it, as a real server does.

/** `own`: the rules of the inventory's own grid. Rules: `result`, the slot from which one only takes; `take(window,
 *  player)`, true where something was taken; `settle(window, serv)` after each click; `close(window, player)`. */
function server (serv, own) {
  serv.on('newPlayer', player => {
    player._client.removeAllListeners('window_click') // flying-squid's own, which forgets to answer
    player._client.on('window_click', click => answer(player, click, serv, own))
    player._client.on('close_window', () => closed(player, serv, own))
  })
}

/** Show a player a window of a type; what lies in its first slots is `slots`. */
function open (serv, player, type, title, rules, slots = []) {
  const windows = require('prismarine-windows')(serv.registry)
  player.windowId = (player.windowId ?? 0) % 100 + 1
  const window = windows.createWindow(player.windowId, type, title)
  player.shown = { window, rules }
  player._client.write('open_window', {
    windowId: window.id,
    inventoryType: windows.windows[type].type,
    windowTitle: JSON.stringify({ text: title })
  })
  slots.forEach((item, slot) => put(window, slot, item))
  mirror(player.inventory, window)
  refresh(player, window, serv)
  return window
}

/** What lies in blocks of a kind: `at(position)` is {slots, watching, ...more}. It stays when nobody looks, and falls
 *  to whoever breaks the block. */
function keep (serv, room, more = {}) {
  const all = new Map()
  const at = position => {
    const place = String(position)
    if (!all.has(place)) all.set(place, { slots: Array(room).fill(null), watching: new Map(), ...more })
    return all.get(place)
  }
  serv.on('newPlayer', player => {
    player.on('disconnected', () => all.forEach(each => each.watching.delete(player)))
    player.on('broke', (name, tool, dropped, position) => {
      for (const item of all.get(String(position))?.slots ?? []) {
        if (item) put(player.inventory, player.inventory.firstEmptyInventorySlot(), item)
      }
      all.delete(String(position))
    })
  })
  return { at, all }
}

/** Tell who looks into it, but for one who has done it. */
function show ({ slots, watching }, serv, but) {
  const Item = require('prismarine-item')(serv.registry)
  watching.forEach((window, player) => slots.forEach((item, slot) => {
    if (player === but) return
    put(window, slot, item)
    player._client.write('set_slot', { windowId: window.id, slot, item: Item.toNotch(item) })
  }))
}

function answer (player, click, serv, own) {
  const { window, rules } = click.windowId === 0 ? { window: player.inventory, rules: own } : player.shown ?? {}
  if (!window || (click.windowId !== 0 && click.windowId !== window.id)) return
  const accepted = clicked(player, window, rules, click, serv)
  player._client.write('transaction', { windowId: click.windowId, action: click.action, accepted })
  if (!accepted) refresh(player, window, serv)
}

function closed (player, serv, own) {
  if (player.shown) {
    loosen(player.shown.window, player, [])
    player.shown.rules.close(player.shown.window, player)
  }
  own.close(player.inventory, player)
  loosen(player.inventory, player, [])
  player.shown = undefined
  refresh(player, player.inventory, serv)
}

/** Do one click; false for one that a player cannot make. */
function clicked (player, window, rules, { slot, mouseButton, mode }, serv) {
  const shift = mode === 1 && slot < window.inventoryStart && slot !== rules.result // all of it to the player's own
  if ((mode !== 0 && !shift) || mouseButton > 1 || slot >= window.slots.length) return false
  const silent = window.emit
  window.emit = () => false // the client has seen its own click: it is not told each slot again
  const took = slot === rules.result ? rules.take(window, player) : turn(window, slot, mouseButton, mode)
  rules.settle(window, serv)
  window.emit = silent
  if (window !== player.inventory) mirror(window, player.inventory)
  return took
}

function turn (window, slot, mouseButton, mode) {
  window.acceptClick({ slot, mouseButton, mode, item: window.slots[slot] ?? null })
  return true
}

/** Into the hand with what lies in a result's slot; false where the hand has no room for it. */
function taken (window, slot) {
  const result = window.slots[slot]
  if (!result) return false
  const held = window.selectedItem
  if (held && (held.type !== result.type || held.count + result.count > held.stackSize)) return false
  if (held) held.count += result.count
  else window.selectedItem = result
  window.slots[slot] = null
  return true
}

/** What the hand holds, and what lies in these slots, goes back to the player. */
function loosen (window, player, slots) {
  const loose = [window.selectedItem, ...slots.map(slot => window.slots[slot])].filter(Boolean)
  for (const slot of slots) window.slots[slot] = null
  window.selectedItem = null
  for (const item of loose) {
    const same = player.inventory.slots.find(each => each && each.type === item.type && each.count + item.count <= each.stackSize)
    if (same) same.count += item.count
    else put(player.inventory, player.inventory.firstEmptyInventorySlot(), item)
  }
}

/** The player's 36 slots lie elsewhere in each window. */
function mirror (from, to) {
  for (let at = 0; at < 36; at++) put(to, to.inventoryStart + at, from.slots[from.inventoryStart + at])
}

function put (window, slot, item) {
  if (slot === null || slot === undefined) return
  window.slots[slot] = item ?? null
  if (item) item.slot = slot
}

function refresh (player, window, serv) {
  const Item = require('prismarine-item')(serv.registry)
  const windowId = window === player.inventory ? 0 : window.id
  player._client.write('window_items', { windowId, items: window.slots.map(item => Item.toNotch(item)) })
}

module.exports = { server, open, keep, show, taken, loosen, put }
