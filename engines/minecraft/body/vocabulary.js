'use strict'
// The words that a skill may keep of what it was for: the game's and everyday ones. A viewer's name, or whatever else
// they wrote, is in nobody's file then, and need not be forgotten.

const LITTLE = new Set('a an the and or of to in on at it its me my you your please can could would spark do make with for then'.split(' '))
const JOINS = new Set('for of with to from and or by at in on'.split(' '))
const ARTICLES = new Set('a an the my your its'.split(' '))
const EVERYDAY = new Set(`
  again all another around as back beside big build bring burn by chop clear close collect come cook cover craft cut day deep dig
  down eat enough explore far few fill find first fight flee flat from full get give go good half have here hide high hold
  into keep kill large left less light little long look lots low mine more morning much near new next nice night no now off old open
  out over place put quick ready right run safe second set short sleep small smelt some stand start stay stop store straight take
  tall that them there these this through tidy two under up use walk warm what wide work
  one three four five six seven eight nine ten dozen
  animals armor armour arrow axe bed bedroom block blocks boat bow bread bridge bucket bush camp castle cave chest coal charcoal
  chicken cobble cobblestone corner cow creeper diamond dirt ditch door farm fence field fire fish floor flower food forest fort
  fortress furnace garden gate glass gold grass gravel ground hill hole home hook house hut ingot iron island ladder lake lamp land
  lava leaves log logs lumber meat mob mobs monster monsters moat mountain mushroom ore path pickaxe pig pillar pit planks plant
  pond pool post rail river road rock roof room ruin sand seeds sheep shelter shield shovel skeleton spade spider stairs staircase
  stick sticks stone stones storage string supplies sword swimming table things tool tools torch torches tower town track
  train trap tree trees trench tunnel view village wall walls water way weapon weapons well wheat window wood wooden wool workshop
  zombie zombies
`.trim().split(/\s+/))

const plain = text => String(text).toLowerCase().replace(/[^a-z0-9]+/g, ' ').trim()
const words = text => plain(text).split(' ').filter(word => word && !LITTLE.has(word))

/** What steps did, in the game's words. */
const done = steps => steps.map(({ action, item, plan }) => plain([action, item, plan].filter(Boolean).join(' '))).join(' ')

/** A goal without what is no word of the game's or of every day; that of steps whose goal had no other. */
function purpose (goal, steps) {
  const own = new Set(done(steps).split(' '))
  const kept = plain(goal).split(' ').filter(word => LITTLE.has(word) || EVERYDAY.has(word) || own.has(word))
  const said = kept.reduceRight(joined, [])
  return (said.some(word => !LITTLE.has(word)) ? said.join(' ') : done(steps)).slice(0, 80).trim()
}

/** Without "for" where whoever it was for is left out. */
function joined (later, word) {
  const dangles = (JOINS.has(word) || ARTICLES.has(word)) && (!later.length || JOINS.has(later[0]))
  return dangles ? later : [word, ...later]
}

module.exports = { purpose, words }
