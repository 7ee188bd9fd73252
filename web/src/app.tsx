import { switchTab, usePageNotFound } from '@tarojs/taro'
import type { PropsWithChildren } from 'react'
import './app.css'
import { AppProvider } from './components/AppContext'

export default function App({ children }: PropsWithChildren) {
  usePageNotFound(() => void switchTab({ url: '/pages/photo/index' })) // perhaps a link from another version
  return <AppProvider>{children}</AppProvider>
}
