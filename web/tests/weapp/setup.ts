/** What the build fills in, and what React wants of a test. */
Object.assign(globalThis, { MIEN_SERVICE: 'https://faces.example', IS_REACT_ACT_ENVIRONMENT: true })
