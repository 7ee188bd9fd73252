/** Defined by the build, and by React's test environment. */
Object.assign(globalThis, { MIEN_SERVICE: 'https://faces.example', IS_REACT_ACT_ENVIRONMENT: true })
