'use strict'
// What her body does by itself, each tick and without any model: not burn, drown, fall or starve, fight or flee, get
// unstuck, look at who speaks. A reflex interrupts what she was doing; it goes on afterwards.

const { goals } = require('mineflayer-pathfinder')
const { away, foes, hostile } = require('./state')

const ALARM = 6 // blocks to a foe
const FUSE = 8 // to one that explodes
const REACH = 3.2
const COOL_MS = 600 // between two blows
const LOW = 8 // of 20 health: below it she flees
const WEAK = 12 // likewise without a weapon
const HUNGRY = 14 // of 20 food
const DEEP = 3 // blocks that one falls unhurt
const AHEAD = 0.7 // blocks that are looked ahead for an edge
const LOOSE = 2.5 // blocks; a server that throws her back lets her run further than one before she hears of it
const DEAD = 100 // that are remembered
const FLEES_MS = 8000
const FIGHTS_MS = 20_000
const BURNS = ['lava', 'fire', 'soul_fire', 'magma_block']
const BAD_FOOD = ['rotten_flesh', 'spider_eye', 'poisonous_potato', 'pufferfish', 'chicken', 'suspicious_stew', 'chorus_fruit']
const WEAPONS = ['netherite_sword', 'diamond_sword', 'iron_sword', 'stone_axe', 'iron_axe', 'stone_sword', 'wooden_axe',
  'golden_sword', 'wooden_sword'] // the best first

/** `busy()` is the job that is interrupted, if there is one; `told(message)` hears what happened; `stuck`: milliseconds
 * on her way without a step forward, after which she is. */
class Reflexes {
  constructor (bot, busy, told, stuck) {
    Object.assign(this, { bot, busy, told, stuck })
    this.acting = ''
    this._moved = { at: Date.now(), place: bot.entity.position.clone() }
    this._ate = 0
    this._tick = () => this.tick()
    this._spoken = name => this.heard(name)
    this.killed = new Map() // {id: {id, name, at}} of the last ones that died near her
    this._died = entity => this._buried(entity)
    bot.on('entityDead', this._died)
    bot.on('physicsTick', this._tick)
    bot.on('chat', this._spoken)
  }

  end () {
    this.bot.off('physicsTick', this._tick)
    this.bot.off('chat', this._spoken)
    this.bot.off('entityDead', this._died)
  }

  _buried (entity) {
    const { id, name } = entity
    if (!hostile(entity) || away(this.bot, entity) > ALARM) return
    this.killed.set(id, { id, name, at: Date.now() })
    if (this.killed.size > DEAD) this.killed.delete(this.killed.keys().next().value)
  }

  tick () {
    const { bot } = this
    if (!bot.entity || bot.health <= 0) return
    this._balance()
    if (this.acting) return this._swim()
    const foe = foes(bot, FUSE).find(each => away(bot, each) <= (each.name === 'creeper' ? FUSE : ALARM))
    if (this._burns()) this._act('burn', () => this._leaveFire())
    else if (foe) this._act(this._dares(foe) ? 'fight' : 'flee', () => this._dares(foe) ? this._fight(foe) : this._flee(foe))
    else if (this._hungry()) this._act('eat', () => this._eat())
    else if (this._stuck()) this._act('unstuck', () => this._shake())
    this._swim()
  }

  /** Do one thing to its end; whatever goes wrong in it ends it, and the next tick looks again. */
  async _act (what, doing) {
    this.acting = what
    this.busy()?.interrupt(what)
    this.bot.stopDigging()
    this._letGo()
    try {
      await doing()
    } catch (error) {
      if (this.bot.entity) process.stderr.write(`reflex ${what}: ${error.message}\n`)
    } finally {
      this._letGo()
      this._moved.at = Date.now()
      this.acting = ''
    }
  }

  _block (up = 0) { return this.bot.blockAt(this.bot.entity.position.offset(0, up, 0))?.name ?? '' }

  /** Whether any of her is in it: beside lava she still burns, and finds no way. */
  _burns () { return this.bot.entity.isInLava || BURNS.includes(this._block()) || this._block(1) === 'lava' }

  _swim () {
    const wet = this._block(1.6) === 'water' || (this._block() === 'water' && !this.bot.pathfinder.isMoving())
    if (wet) this.bot.setControlState('jump', true)
    else if (this._wet) this.bot.setControlState('jump', false)
    this._wet = wet
  }

  /** Who sneaks does not walk over an edge. Her own ways lead over none that is deep: it is where she runs blindly. */
  _balance () {
    const steep = this.bot.entity.onGround && edge(this.bot)
    if (steep || this._sneaks) this.bot.setControlState('sneak', steep)
    this._sneaks = steep
  }

  /** No key is held any more but the one that holds her at an edge: what she ran with still carries her. */
  _letGo () {
    this.bot.pathfinder.setGoal(null)
    this.bot.clearControlStates?.()
    if (this._sneaks) this.bot.setControlState?.('sneak', true)
  }

  async _leaveFire () {
    const { bot } = this
    bot.setControlState('jump', true)
    bot.setControlState('sprint', true)
    bot.setControlState('forward', true)
    for (let n = 0; n < 40 && this._burns(); n++) {
      const way = dry(bot)
      if (way) await bot.lookAt(way.offset(0.5, 1, 0.5), true)
      await bot.waitForTicks(2)
    }
    this.told('You got out of the fire.')
  }

  _armed () { return this.bot.inventory.items().find(item => WEAPONS.includes(item.name)) }

  _dares (foe) {
    return foe.name !== 'creeper' && this.bot.health > (this._armed() ? LOW : WEAK) && foes(this.bot, ALARM).length < 3
  }

  async _fight (foe) {
    const { bot } = this
    const ends = Date.now() + FIGHTS_MS
    const arms = WEAPONS.map(name => bot.inventory.items().find(item => item.name === name)).find(Boolean)
    let blow = 0
    let drawn = bot.heldItem === arms
    while (foe.isValid && Date.now() < ends && this._dares(foe) && away(bot, foe) < FUSE * 2) {
      const close = away(bot, foe) <= REACH
      bot.lookAt(foe.position.offset(0, foe.height * 0.8, 0), true)
      bot.setControlState('forward', !close)
      bot.setControlState('sprint', !close)
      bot.setControlState('jump', !close && bot.entity.isCollidedHorizontally === true)
      if (close && Date.now() - blow > COOL_MS) {
        bot.attack(foe)
        blow = Date.now()
      }
      if (arms && !drawn) {
        drawn = true
        bot.equip(arms, 'hand').catch(() => {})
      }
      await bot.waitForTicks(1)
    }
    if (this.killed.has(foe.id)) this.told(`You fought a ${foe.name}, and it is dead.`)
    else this.told(foe.isValid ? `You stopped fighting a ${foe.name}.` : `You fought a ${foe.name}, and it is gone.`)
  }

  async _flee (foe) {
    const { bot } = this
    const ends = Date.now() + FLEES_MS
    await turnAway(bot, foe) // at once; the way is found while she runs
    bot.pathfinder.setGoal(new goals.GoalInvert(new goals.GoalFollow(foe, 16)), true)
    while (foe.isValid && Date.now() < ends && away(bot, foe) < 14) await bot.waitForTicks(2)
    this.told(`You ran away from a ${foe.name}.`)
  }

  _food () {
    const foods = this.bot.registry.foodsByName
    return this.bot.inventory.items().filter(item => foods[item.name] && !BAD_FOOD.includes(item.name))
      .sort((a, b) => foods[b.name].foodPoints - foods[a.name].foodPoints)[0]
  }

  _hungry () {
    const hurt = this.bot.health < WEAK && this.bot.food < 20
    return (this.bot.food < HUNGRY || hurt) && Date.now() - this._ate > 5000 && this._food() !== undefined
  }

  async _eat () {
    this._ate = Date.now()
    const said = await eat(this.bot, this._food())
    this.told(said)
  }

  _stuck () {
    const { bot } = this
    const place = bot.entity.position
    const { goal } = bot.pathfinder // a way is thought of anew each few seconds, and is none in between
    const there = !goal || goal.isEnd(place.floored())
    const going = !there && !bot.pathfinder.isMining() && !bot.pathfinder.isBuilding()
    if (!going || place.distanceTo(this._moved.place) > LOOSE) this._moved = { at: Date.now(), place: place.clone() }
    return Date.now() - this._moved.at > this.stuck
  }

  async _shake () {
    const { bot } = this
    await bot.look(Math.random() * 2 * Math.PI, 0, true)
    for (const control of ['forward', 'jump']) bot.setControlState(control, true)
    await bot.waitForTicks(20)
  }

  heard (name) {
    const speaker = this.bot.players[name]?.entity
    if (!this.acting && name !== this.bot.username && speaker && !this.bot.pathfinder.isMoving()) {
      this.bot.lookAt(speaker.position.offset(0, 1.6, 0))
    }
  }
}

/** Eat; what came of it, by the food that she has afterwards. */
async function eat (bot, food) {
  const before = bot.food
  await bot.equip(food, 'hand')
  await bot.consume()
  await bot.waitForTicks(2)
  if (bot.food <= before) throw new Error(`eating the ${food.name} changed nothing`)
  return `You ate a ${food.name.replaceAll('_', ' ')}.`
}

async function turnAway (bot, foe) {
  const from = bot.entity.position.minus(foe.position)
  bot.setControlState('forward', true)
  bot.setControlState('sprint', true)
  await bot.lookAt(bot.entity.position.plus(from.unit().scaled(8)).offset(0, 1.6, 0), true)
}

/** Whether she hangs over, or is about to fall, deeper than a healthy body likes, and not into water. */
function edge (bot) {
  const { position, velocity, yaw } = bot.entity
  const speed = Math.hypot(velocity.x, velocity.z)
  const ways = [[0, 0]] // who stands half over an edge is held there, too, when she stops
  if (speed > 0.01) ways.push([velocity.x / speed, velocity.z / speed])
  if (bot.getControlState('forward')) ways.push([-Math.sin(yaw), -Math.cos(yaw)])
  return ways.some(([x, z]) => abyss(bot, position.offset(AHEAD * x, 0, AHEAD * z)))
}

function abyss (bot, place) {
  for (let down = 1; down <= DEEP + 1; down++) {
    const block = bot.blockAt(place.offset(0, 0.1 - down, 0))
    if (!block || block.boundingBox === 'block' || block.name === 'water') return false
  }
  return true
}

/** The nearest dry place that one can stand on. */
function dry (bot) {
  const here = bot.entity.position.floored()
  const places = []
  for (let dx = -4; dx <= 4; dx++) {
    for (let dz = -4; dz <= 4; dz++) {
      for (let dy = -1; dy <= 2; dy++) {
        const place = here.offset(dx, dy, dz)
        const [at, below] = [bot.blockAt(place), bot.blockAt(place.offset(0, -1, 0))]
        if (at?.boundingBox === 'empty' && !BURNS.includes(at.name) && below?.boundingBox === 'block') places.push(place)
      }
    }
  }
  return places.sort((a, b) => a.distanceTo(here) - b.distanceTo(here))[0]
}

module.exports = { Reflexes, eat }
