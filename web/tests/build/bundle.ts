import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import vm from 'node:vm'

interface PageConfig {
  [hook: string]: unknown
}

/** A page of the mini-program as WeChat would hold it. */
export interface RunningPage {
  /** All text that was rendered. */
  text(): string
  /** The sources of all images. */
  images(): string[]
  /** Taps the first button whose text contains `label`. */
  tap(label: string): Promise<void>
  unload(): Promise<void>
}

/** A node as Taro passes it to WeChat, with its shortened names. */
interface Node {
  sid?: string
  uid?: string
  /** Text. */
  v?: string
  /** Classes. */
  cl?: string
  /** Children. */
  cn?: Node[]
  [attribute: string]: unknown
}

type Hook = (this: object, ...given: unknown[]) => unknown

/** Runs the built mini-program in Node, with a stub in the place of `wx`. */
export class Bundle {
  private readonly pages = new Map<string, PageConfig>()
  private readonly modules = new Map<string, object>()
  private readonly stack: object[] = []
  private readonly context: vm.Context
  private loading = ''

  constructor(private readonly folder: string, wx: object) {
    const app = {}
    this.context = vm.createContext({
      wx,
      console,
      setTimeout,
      clearTimeout,
      setInterval,
      clearInterval,
      getApp: () => app,
      getCurrentPages: () => this.stack,
      App: (config: { onLaunch?: Hook }) => {
        Object.assign(app, config)
        config.onLaunch?.call(app, { path: 'pages/photo/index', query: {} })
      },
      Page: (config: PageConfig) => this.pages.set(this.loading, config),
      Component: () => undefined,
      Behavior: () => undefined,
    })
    this.require('app.js')
  }

  /** Loads and shows a page. */
  async show(path: string): Promise<RunningPage> {
    this.loading = path
    this.require(`${path}.js`)
    const config = this.pages.get(path)
    if (!config) {
      throw new Error(`${path}.js does not call Page()`)
    }
    const data: { root: Node } = { root: { cn: [] } }
    const page = {
      ...config,
      route: path,
      options: {},
      data,
      setData: (changes: Record<string, unknown>, done?: () => void) => {
        Object.entries(changes).forEach(([key, value]) => assign(data, key, value))
        done?.()
      },
    }
    this.stack.push(page)
    const call = async (hook: string, ...given: unknown[]) => {
      ;(config[hook] as Hook | undefined)?.call(page, ...given)
      await settle()
    }
    await call('onLoad', {})
    await call('onShow')
    await call('onReady')
    return {
      text: () => texts(data.root).join(' '),
      images: () => nodes(data.root).flatMap(({ cl, [this.sourceKey()]: source }) => (/h5-img/.test(cl ?? '') ? [String(source)] : [])),
      tap: async (label) => {
        const target = nodes(data.root).find((node) => /h5-button/.test(node.cl ?? '') && texts(node).join('').includes(label))
        if (!target) {
          throw new Error(`${path} shows no ${label}`)
        }
        const place = { id: target.uid ?? target.sid, dataset: { sid: target.sid } }
        await call('eh', { type: 'tap', target: place, currentTarget: place, detail: {}, timeStamp: 1 })
      },
      unload: async () => {
        await call('onHide')
        await call('onUnload')
        this.stack.pop()
      },
    }
  }

  /** The name that Taro gives to the attribute `src` of an image. */
  private sourceKey(): string {
    const templates = readFileSync(join(this.folder, 'base.wxml'), 'utf-8')
    return /<image src="\{\{i\.(\w+)\}\}"/.exec(templates)?.[1] ?? 'src'
  }

  private require(path: string): object {
    const known = this.modules.get(path)
    if (known) {
      return known
    }
    const module = { exports: {} }
    this.modules.set(path, module.exports)
    const source = readFileSync(join(this.folder, path), 'utf-8')
    const run = vm.runInContext(`(function (require, module, exports) {${source}\n})`, this.context, { filename: path })
    const load = (name: string) => this.require(join(dirname(path), name.endsWith('.js') ? name : `${name}.js`))
    run(load, module, module.exports)
    return module.exports
  }
}

/** Assigns to a path such as root.cn.[0].cn. */
function assign(data: object, path: string, value: unknown): void {
  const keys = path.replace(/\[(\d+)\]/g, '$1').split('.')
  const last = keys.pop()!
  let target = data as Record<string, unknown>
  for (const key of keys) {
    target = (target[key] ??= {}) as Record<string, unknown>
  }
  target[last] = value
}

function nodes(node: Node): Node[] {
  return [node, ...Object.values(node.cn ?? []).flatMap((child) => nodes(child))]
}

function texts(node: Node): string[] {
  return nodes(node).flatMap(({ v }) => (typeof v === 'string' ? [v] : []))
}

export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) {
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
