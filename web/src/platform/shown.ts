import { useDidHide, useDidShow } from '@tarojs/taro'
import { useRef } from 'react'

/** Whether the page is the one that is looked at: the others stay behind it. */
export function useShown(): { readonly current: boolean } {
  const shown = useRef(true)
  useDidShow(() => {
    shown.current = true
  })
  useDidHide(() => {
    shown.current = false
  })
  return shown
}
