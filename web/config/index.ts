import { defineConfig } from '@tarojs/cli'

/** Where the mini-program finds the service: HTTPS and registered for anybody but a developer (docs/wechat.md). */
const SERVICE = (process.env.MIEN_SERVICE ?? 'http://127.0.0.1:8000').replace(/\/+$/, '')

/** Pixels stay pixels: the pages are laid out for any width, and a phone's pixel is as large here as there. */
const postcss = { pxtransform: { enable: false, config: {} } }

export default defineConfig({
  projectName: 'mien',
  date: '2026-11-22',
  designWidth: 375,
  deviceRatio: { 375: 2 },
  sourceRoot: 'src',
  outputRoot: `dist/${process.env.TARO_ENV}`,
  plugins: ['@tarojs/plugin-html'],
  framework: 'react',
  compiler: { type: 'webpack5', prebundle: { enable: false } },
  cache: { enable: false },
  mini: {
    postcss,
    webpackChain: (chain, webpack) => chain.plugin('service').use(webpack.DefinePlugin, [
      { MIEN_SERVICE: JSON.stringify(SERVICE) },
    ]),
  },
  h5: {
    publicPath: './',
    staticDirectory: 'static',
    router: { mode: 'hash' },
    // styles and a font of Taro's own components, none of which is used in the browser
    webpackChain: (chain) => chain.merge({
      resolve: { alias: { '@tarojs/components/dist/taro-components/taro-components.css': false } },
    }),
    output: { filename: 'js/[name].[contenthash:8].js', chunkFilename: 'js/[name].[contenthash:8].js' },
    miniCssExtractPluginOption: {
      ignoreOrder: true,
      filename: 'css/[name].[contenthash:8].css',
      chunkFilename: 'css/[name].[contenthash:8].css',
    },
    imageUrlLoaderOption: { limit: 2048, name: 'static/[name].[hash:8][ext]' },
    postcss,
  },
})
