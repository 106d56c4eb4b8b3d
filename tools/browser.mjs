// SPDX-License-Identifier: MIT
//
// Debian's Chromium and Firefox, headless and quiet, driven by puppeteer-core.
import { existsSync } from 'node:fs';
import puppeteer from 'puppeteer-core';

const executables = { chromium: '/usr/bin/chromium', firefox: '/usr/bin/firefox-esr' };

// Chromium refuses to run its sandbox as root. The rest keeps it from calling home and from slowing pages it thinks
// nobody looks at.
const chromiumArguments = [
  ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
  '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update',
  '--disable-sync', '--disable-dev-shm-usage',
];

const firefoxPreferences = (downloadDirectory) => ({
  'app.update.auto': false,
  'browser.download.alwaysOpenPanel': false,
  'browser.download.folderList': 2,
  'browser.download.useDownloadDir': true,
  'browser.safebrowsing.downloads.enabled': false,
  'datareporting.policy.dataSubmissionEnabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'toolkit.telemetry.server': '',
  ...(downloadDirectory ? { 'browser.download.dir': downloadDirectory } : {}),
});

export const browserNames = Object.keys(executables);

// Resolves to a puppeteer Browser; the caller closes it. What its pages download is stored in downloadDirectory.
export async function launchBrowser(name, { downloadDirectory, headless = true } = {}) {
  const executablePath = executables[name];
  if (executablePath === undefined) throw new Error(`no browser '${name}'; there are ${browserNames.join(' and ')}`);
  if (!existsSync(executablePath)) throw new Error(`${executablePath} is not installed`);
  return puppeteer.launch({
    browser: name === 'firefox' ? 'firefox' : 'chrome',
    executablePath,
    headless,
    // Whoever launches decides what a signal ends.
    handleSIGINT: false,
    handleSIGTERM: false,
    handleSIGHUP: false,
    protocolTimeout: 120_000,
    ...(name === 'firefox'
      ? { extraPrefsFirefox: firefoxPreferences(downloadDirectory) }
      : {
          args: chromiumArguments,
          ...(downloadDirectory ? { downloadBehavior: { policy: 'allow', downloadPath: downloadDirectory } } : {}),
        }),
  });
}

// A page in a window of its own, so that it is never a background tab.
export async function newWindow(browser, { downloadDirectory } = {}) {
  const isChromium = (await browser.version()).toLowerCase().includes('chrom');
  const context = await browser.createBrowserContext(
    isChromium && downloadDirectory
      ? { downloadBehavior: { policy: 'allow', downloadPath: downloadDirectory } }
      : {},
  );
  return context.newPage({ type: 'window' });
}
