/** Imported images are their file names. */
const { basename } = require('node:path')

module.exports = {
  process: (_source, path) => ({ code: `module.exports = ${JSON.stringify(basename(path))}` }),
}
