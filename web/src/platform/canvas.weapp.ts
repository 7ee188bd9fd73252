export interface Sheet {
  canvas: WechatMiniprogram.Canvas
  width: number
  height: number
}

/** A canvas of the page that is shown, and its size in CSS pixels; none where it is not there yet. */
export function findCanvas(id: string): Promise<Sheet | undefined> {
  return new Promise((resolve) => {
    wx.createSelectorQuery()
      .select(`#${id}`)
      .fields({ node: true, size: true })
      .exec(([found]: ({ node?: WechatMiniprogram.Canvas; width: number; height: number } | null)[]) =>
        resolve(found?.node ? { canvas: found.node, width: found.width, height: found.height } : undefined),
      )
  })
}
