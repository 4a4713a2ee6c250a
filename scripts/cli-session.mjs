// Runs the session of docs/cli.md on the files of vega-datasets and writes what it shows there: `node scripts/cli-session.mjs`.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const MAIN = process.env.OPEN_ITERABLE_MAIN ?? join(ROOT, 'dist/cli/main.js')
const DATA = join(ROOT, 'node_modules/vega-datasets/data')
const DOCS = join(ROOT, 'docs/cli.md')
const COLUMNS = '96'

const SESSION = [
  'open-iterable sniff birdstrikes.csv',
  'open-iterable head birdstrikes.csv -n 4 --cast',
  'open-iterable schema seattle-weather.csv --ts',
  'open-iterable count flights-3m.parquet',
  'open-iterable convert movies.json movies.csv.gz',
  'open-iterable cat airports.csv --where state=HI --columns iata,city --to csv | head -n 4',
  'open-iterable sql "select weather, count(*) as days, round(avg(temp_max), 1) as warmest from \\"seattle-weather\\" group by 1 order by 2 desc" seattle-weather.csv --to csv',
  "open-iterable sql \"select * replace (if(iata = 'HNL', 'Honolulu (Oahu)', city) as city) from airports where iata <> 'OGG'\" airports.csv --to csv --quiet > edited.csv",
  'open-iterable diff airports.csv edited.csv --key iata',
  'open-iterable head birdstrike.csv',
]

const folder = mkdtempSync(join(tmpdir(), 'open-iterable-session-'))
try {
  for (const name of readdirSync(DATA)) symlinkSync(join(DATA, name), join(folder, name))
  const shown = SESSION.map(command => {
    const script = `open-iterable() { "$NODE" "$MAIN" "$@"; }\n${command}`
    const { stdout } = spawnSync('bash', ['-c', `{ ${script}\n} 2>&1`], {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, NODE: process.execPath, MAIN, COLUMNS, NO_COLOR: '1' },
    })
    return `$ ${command}\n${stdout}`
  })
  const text = readFileSync(DOCS, 'utf8')
  const session = `## A session\n\n\`\`\`console\n${shown.join('\n')}\`\`\`\n\n## Verbs`
  writeFileSync(
    DOCS,
    text.replace(/## A session\n[\s\S]*?\n## Verbs/, () => session),
  )
} finally {
  rmSync(folder, { recursive: true })
}
