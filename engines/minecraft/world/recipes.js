'use strict'
// What a grid of items makes, by minecraft-data's recipes. Pure.

/** `grid`: item ids or null, row by row; `width` of a row. The recipe that it makes, or undefined. */
function made (recipes, grid, width) {
  const rows = trimmed(grid, width)
  if (!rows.length) return undefined
  const there = grid.filter(id => id !== null).sort((a, b) => a - b)
  return Object.values(recipes).flat().find(recipe => {
    if (recipe.inShape) return same(rows, shape(recipe.inShape)) || same(rows, shape(recipe.inShape).map(row => row.toReversed()))
    const wanted = (recipe.ingredients ?? []).map(plain).sort((a, b) => a - b)
    return wanted.length > 0 && same(there, wanted)
  })
}

/** An ingredient is a number, {id}, [id, metadata] or nothing. */
function plain (ingredient) {
  if (ingredient === null || ingredient === undefined) return null
  const id = Array.isArray(ingredient) ? ingredient[0] : (ingredient.id ?? ingredient)
  return id === -1 ? null : id
}

function shape (rows) {
  const width = Math.max(...rows.map(row => row.length))
  return rows.map(row => Array.from({ length: width }, (_, at) => plain(row[at])))
}

/** The grid without its empty edges. */
function trimmed (grid, width) {
  const rows = []
  for (let at = 0; at < grid.length; at += width) rows.push(grid.slice(at, at + width))
  const full = rows.map((row, at) => [row, at]).filter(([row]) => row.some(id => id !== null)).map(([, at]) => at)
  if (!full.length) return []
  const kept = rows.slice(full[0], full.at(-1) + 1)
  const columns = kept[0].map((_, at) => at).filter(at => kept.some(row => row[at] !== null))
  return kept.map(row => row.slice(columns[0], columns.at(-1) + 1))
}

const same = (one, other) => JSON.stringify(one) === JSON.stringify(other)

module.exports = { made }
