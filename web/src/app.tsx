import { switchTab, usePageNotFound } from '@tarojs/taro'
import type { PropsWithChildren } from 'react'
import './app.css'
import { Choices } from './parts/choices'

export default function App({ children }: PropsWithChildren) {
  usePageNotFound(() => void switchTab({ url: '/pages/photo/index' })) // an address of another version, perhaps
  return <Choices>{children}</Choices>
}
