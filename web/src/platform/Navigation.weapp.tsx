import type { NavigationProps } from './types'

export const NAVIGATION = 'native'

/** WeChat draws the tabs; only the language is ours. */
export function Navigation({ children }: NavigationProps) {
  return <div className="header header-native">{children}</div>
}
