import { nextTick } from '@tarojs/taro'

export interface CanvasNode {
  canvas: WechatMiniprogram.Canvas
  width: number
  height: number
}

/** Returns a canvas of the current page and its size in CSS pixels; undefined if it is not rendered yet. */
export function queryCanvas(id: string): Promise<CanvasNode | undefined> {
  return new Promise((resolve) => {
    wx.createSelectorQuery()
      .select(`#${id}`)
      .fields({ node: true, size: true })
      .exec(([found]: ({ node?: WechatMiniprogram.Canvas; width: number; height: number } | null)[]) =>
        resolve(found?.node ? { canvas: found.node, width: found.width, height: found.height } : undefined),
      )
  })
}

/** The same once WeChat has rendered what React has. */
export function queryCanvasAfterRender(id: string): Promise<CanvasNode | undefined> {
  return new Promise((resolve) => nextTick(() => resolve(queryCanvas(id))))
}
