// Asks again and again: not while the page is hidden, and on through any outage.

/**
 * Call `poll` now and then every `everyMs`, one at a time. Whatever it throws is told to `failed`; the next time comes
 * all the same. Returns a function that asks at once.
 */
export function keepPolling(everyMs, poll, failed) {
  let timer = 0;
  let isUnderWay = false;
  let isWantedAgain = false;

  async function go() {
    clearTimeout(timer);
    if (isUnderWay) {
      isWantedAgain = true;
      return;
    }
    isUnderWay = true;
    const began = performance.now();
    try {
      await poll();
    } catch (error) {
      failed(error);
    }
    isUnderWay = false;
    if (isWantedAgain) {
      isWantedAgain = false;
      go();
    } else if (!document.hidden) {
      timer = setTimeout(go, Math.max(200, everyMs - (performance.now() - began)));
    }
  }

  document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(timer) : go()));
  go();
  return go;
}
