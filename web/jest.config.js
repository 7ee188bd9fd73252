const transform = {
  '\\.jpg$': '<rootDir>/tests/assetTransform.js',
  '\\.[jt]sx?$': [
    'babel-jest',
    {
      babelrc: false,
      configFile: false,
      presets: [
        ['@babel/preset-env', { targets: { node: 'current' } }],
        ['@babel/preset-react', { runtime: 'automatic' }],
        '@babel/preset-typescript',
      ],
    },
  ],
}

module.exports = {
  projects: [
    { displayName: 'core', testMatch: ['<rootDir>/tests/core/*.test.ts'], testEnvironment: 'node', transform },
    {
      // The pages with the mini-program's platform modules, rendered by React DOM against a stub of wx.
      displayName: 'weapp',
      testMatch: ['<rootDir>/tests/weapp/*.test.ts?(x)'],
      testEnvironment: 'jsdom',
      moduleFileExtensions: ['weapp.tsx', 'weapp.ts', 'tsx', 'ts', 'js', 'json'],
      moduleNameMapper: {
        '^@tarojs/components$': '<rootDir>/tests/weapp/components.tsx',
        '^@tarojs/taro$': '<rootDir>/tests/weapp/taro.ts',
      },
      setupFiles: ['<rootDir>/tests/weapp/setup.ts'],
      transform,
    },
    { displayName: 'build', testMatch: ['<rootDir>/tests/build/*.test.ts'], testEnvironment: 'node', transform },
    {
      displayName: 'browser',
      testMatch: ['<rootDir>/tests/browser/*.test.ts'],
      testEnvironment: 'node',
      transform,
    },
  ],
  testTimeout: 120_000,
}
