import { useDidHide, useDidShow } from '@tarojs/taro'
import { useRef } from 'react'

/** Returns whether this page is in front; the pages of the other tabs stay mounted behind it. */
export function usePageVisible(): { readonly current: boolean } {
  const visible = useRef(true)
  useDidShow(() => {
    visible.current = true
  })
  useDidHide(() => {
    visible.current = false
  })
  return visible
}
