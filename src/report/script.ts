/** What makes the page answer: search, filters, order, theme. It reads the page alone, and never makes markup of it. */
export const SCRIPT = `(() => {
'use strict'
const $ = id => document.getElementById(id)
const root = document.documentElement
const store = { get: () => { try { return localStorage.getItem('open-iterable-theme') } catch { return null } },
  set: theme => { try { localStorage.setItem('open-iterable-theme', theme) } catch {} } }
const themes = ['auto', 'light', 'dark']
const button = $('theme')
const show = theme => {
  root.dataset.theme = theme
  button.querySelector('b').textContent = theme
}
show(themes.includes(store.get()) ? store.get() : 'auto')
button.addEventListener('click', () => {
  const next = themes[(themes.indexOf(root.dataset.theme) + 1) % themes.length]
  show(next)
  store.set(next)
})
const grid = $('cards')
const index = $('index')
const cards = [...grid.children]
const links = [...index.children]
const search = $('search')
const order = $('order')
const groups = [...document.querySelectorAll('[name=group]')]
const status = $('status')
const orders = {
  file: (a, b) => a.dataset.index - b.dataset.index,
  name: (a, b) => a.dataset.name.localeCompare(b.dataset.name),
  nulls: (a, b) => b.dataset.nulls - a.dataset.nulls,
  distinct: (a, b) => b.dataset.distinct - a.dataset.distinct,
  warnings: (a, b) => b.dataset.warnings - a.dataset.warnings,
}
const filter = () => {
  const words = search.value.toLowerCase().split(/\\s+/).filter(Boolean)
  const group = groups.find(one => one.checked).value
  let shown = 0
  for (const card of cards) {
    const { name, index: i, warnings } = card.dataset
    const isWanted = (group === 'all' || card.dataset.group === group || (group === 'warnings' && warnings > 0)) &&
      words.every(word => name.includes(word))
    card.hidden = !isWanted
    links[i].hidden = !isWanted
    if (isWanted) shown++
  }
  status.textContent = shown === cards.length ? shown + ' columns' : shown + ' of ' + cards.length + ' columns'
  $('nothing').hidden = shown > 0
}
const sort = () => {
  const by = orders[order.value] || orders.file
  const sorted = [...cards].sort((a, b) => by(a, b) || orders.file(a, b))
  grid.append(...sorted)
  index.append(...sorted.map(card => links[card.dataset.index]))
}
search.addEventListener('input', filter)
order.addEventListener('change', sort)
for (const one of groups) one.addEventListener('change', filter)
search.addEventListener('keydown', event => {
  if (event.key !== 'Escape') return
  search.value = ''
  filter()
})
document.addEventListener('keydown', event => {
  if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return
  event.preventDefault()
  search.focus()
})
document.addEventListener('click', event => {
  const link = event.target.closest('a[href^="#c"]')
  const card = link && document.getElementById(link.getAttribute('href').slice(1))
  if (!card) return
  if (card.hidden) {
    search.value = ''
    groups[0].checked = true
    filter()
  }
  card.focus({ preventScroll: true })
})
const details = [...document.querySelectorAll('details')]
let opened = []
addEventListener('beforeprint', () => {
  opened = details.filter(one => !one.open)
  for (const one of opened) one.open = true
})
addEventListener('afterprint', () => {
  for (const one of opened) one.open = false
})
filter()
root.dataset.ready = ''
})()
`
