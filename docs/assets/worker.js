// Search runs in a worker, and browsers start none for pages that are read from a folder. There a
// hidden frame does the same: it runs the worker's script, and messages go to and fro.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(url) {
      super()
      this.onmessage = null
      this.frame = document.createElement("iframe")
      this.frame.hidden = true
      document.body.appendChild(this.frame)
      const inside = this.frame.contentWindow
      this.ready = new Promise(resolve => {
        inside.document.open()
        inside.document.write("<!doctype html><body></body>")
        inside.document.close()
        inside.postMessage = data => this.tell(data)
        inside.importScripts = (...urls) => Promise.all(urls.map(one => load(inside.document, one)))
        load(inside.document, new URL(url, location.href).href).then(resolve)
      })
    }
    tell(data) {
      const event = new MessageEvent("message", { data: structuredClone(data) })
      setTimeout(() => {
        if (this.onmessage) this.onmessage(event)
        this.dispatchEvent(event)
      })
    }
    postMessage(data) {
      const inside = this.frame.contentWindow
      this.ready.then(() => inside.dispatchEvent(new inside.MessageEvent("message", { data })))
    }
    terminate() {
      this.frame.remove()
    }
  }
  function load(page, url) {
    return new Promise((resolve, reject) => {
      const script = page.createElement("script")
      script.src = url
      script.onload = resolve
      script.onerror = reject
      page.body.appendChild(script)
    })
  }
}
