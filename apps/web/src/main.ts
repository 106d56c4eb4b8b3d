// SPDX-License-Identifier: MIT
import { loadAppModule } from './app_module.js';
import { Page } from './page.js';

const page = new Page();
try {
  page.module = await loadAppModule('app.wasm', page, (reason) => page.died(reason));
  page.join();
} catch (error) {
  const text = error instanceof Error ? error.message : String(error);
  page.ended(`unsupported: ${text}`);
}
