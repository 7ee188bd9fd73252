const pages = ['pages/photo/index', 'pages/camera/index', 'pages/models/index', 'pages/privacy/index']
const titles = ['照片', '相机', '模型', '隐私']

export default defineAppConfig({
  pages,
  window: {
    navigationBarTitleText: 'mien',
    navigationBarBackgroundColor: '@bar',
    navigationBarTextStyle: '@barText' as 'black',
    backgroundColor: '@ground',
    backgroundTextStyle: '@groundText' as 'dark',
  },
  tabBar: {
    custom: process.env.TARO_ENV === 'h5', // the page has links of its own
    color: '@quiet',
    selectedColor: '@accent',
    backgroundColor: '@bar',
    borderStyle: '@border' as 'black',
    list: pages.map((pagePath, i) => ({ pagePath, text: titles[i] ?? '' })),
  },
  animation: false,
  darkmode: true,
  themeLocation: 'theme.json',
  permission: {
    'scope.camera': { desc: '用于检测画面中的人脸；画面处理后立即丢弃，不保存' },
  },
  __usePrivacyCheck__: true,
  lazyCodeLoading: 'requiredComponents',
})
