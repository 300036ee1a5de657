#!/usr/bin/env -S node --max-semi-space-size=64
import { register } from 'tsx/esm/api';

register();
const { main } = await import('./main.ts');
await main(process.argv);
