import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { configFileReference } from '../../scripts/config-file-reference.ts'
import { generatedDocs } from '../../scripts/generate-docs.ts'
import { COMMANDS } from '../../src/cli/command-table.ts'
import { SETTINGS } from '../../src/config/setting.ts'
import { FAILURES } from '../../src/proxy/failure.ts'

describe('the generated reference pages', () => {
  for (const [path, text] of generatedDocs()) {
    test(`${path} is what scripts/generate-docs.ts makes of the code`, () => {
      assert.equal(readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8'), text)
    })
  }

  test('name every command, setting, key of the file and failure', () => {
    const pages = generatedDocs()
    for (const { name } of COMMANDS) {
      assert(pages.get('docs/commands.md')?.includes(`\n## nyro ${name}\n`), name)
    }
    for (const name of Object.keys(SETTINGS)) {
      assert(pages.get('docs/configuration.md')?.includes(`\n### GATEWAY_${name}\n`), name)
    }
    for (const { path, accepts, meaning } of configFileReference()) {
      assert(pages.get('docs/configuration.md')?.includes(`| \`${path}\` |`), path)
      assert(accepts !== '' && meaning !== '', `${path} has no documentation`)
    }
    for (const code of Object.keys(FAILURES)) {
      assert(pages.get('docs/failures.md')?.includes(`| \`${code}\` |`), code)
    }
  })
})
