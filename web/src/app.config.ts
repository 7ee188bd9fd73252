const pages = ['pages/photo/index', 'pages/camera/index', 'pages/models/index', 'pages/privacy/index']
const names = ['照片', '相机', '模型', '隐私']

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
    custom: process.env.TARO_ENV === 'h5', // there the links on top of each page
    color: '@quiet',
    selectedColor: '@accent',
    backgroundColor: '@bar',
    borderStyle: '@border' as 'black',
    list: pages.map((pagePath, i) => ({ pagePath, text: names[i] ?? '' })),
  },
  animation: false,
  darkmode: true,
  themeLocation: 'theme.json',
  permission: {
    'scope.camera': { desc: '用于查找画面中的人脸；画面得到结果后立即丢弃，不保存' },
    'scope.writePhotosAlbum': { desc: '用于把您选择的人脸切图保存到相册' },
  },
  __usePrivacyCheck__: true,
  lazyCodeLoading: 'requiredComponents',
})
