// Loaded before every script of package.json that is TypeScript: an older Node.js would only say that it does not
// know the file's ending. CommonJS in old syntax, so that any Node.js gets as far as saying this.
const least = 24
const found = process.versions.node

if (Number(found.split('.')[0]) < least) {
  process.stderr.write(
    `Node.js ${least} or newer is needed, and this is ${found}. On Linux (x64, arm64) and macOS (arm64), npm ci ` +
      'brings one that npm scripts find by themselves; elsewhere install it from nodejs.org, first in PATH.\n',
  )
  process.exit(1)
}
