// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSamples, rest, shares, stageOf, stages } from '../benchmarks/native/stages.mjs';

const kernel = (symbol) => ({ symbol, library: '[kernel.kallsyms]' });
const ours = (symbol) => ({ symbol, library: 'peers_bench' });
const libc = (symbol) => ({ symbol, library: 'libc.so.6' });

/** By stage, chains of functions from the innermost on, as they are seen on Linux. */
const chains = {
  'kernel: wake-ups, epoll, scheduling': [
    [kernel('_raw_spin_unlock_irqrestore'), kernel('sock_def_readable'), kernel('net_rx_action'), kernel('__sys_sendmsg')],
    [kernel('finish_task_switch.isra.0'), kernel('__schedule'), kernel('do_epoll_wait'), kernel('do_syscall_64')],
    [kernel('do_syscall_64'), libc('epoll_wait')],
  ],
  'kernel: delivery on loopback': [[kernel('udp_queue_rcv_one_skb'), kernel('net_rx_action'), kernel('__sys_sendmsg')]],
  'kernel: send': [[kernel('_copy_from_iter'), kernel('udp_sendmsg'), kernel('__sys_sendmsg')], [libc('__libc_sendto')]],
  'kernel: receive': [[kernel('_copy_to_iter'), kernel('__sys_recvmsg')], [kernel('do_syscall_64'), libc('__libc_recvmsg')]],
  AEAD: [[{ symbol: 'aes_gcm_enc_128_vaes_avx512', library: 'libIPSec_MB.so.1.3.0' }], [{ symbol: '[unknown]', library: 'libcrypto.so.3' }],
    [ours('wdc::dtls::(anonymous namespace)::IpsecMbAead::open')]],
  CRC32c: [[ours('wdc::sctp::(anonymous namespace)::update_sse42')]],
  'records, trains, UDP and ICE': [[ours('wdc::dtls::RecordOpener::open_some')], [ours('wdc::native::Transport::sealed_train')]],
  'what is in flight, SACKs, timers': [[ours('wdc::sctp::Outstanding::add')], [ours('wdc::sctp::Transmission::handle_sack')]],
  'SCTP send': [[ours('wdc::sctp::SendQueue::front')], [ours('wdc::sctp::Transmission::write_new')],
    [kernel('clear_page_erms'), kernel('exc_page_fault'), ours('wdc::sctp::SendQueue::push'), libc('__libc_sendmsg')]],
  'SCTP receive': [[ours('wdc::sctp::Association::handle_data<wdc::sctp::IDataChunk>')], [ours('wdc::sctp::Reassembly::add')]],
  'messages: copies and memory': [[libc('__memmove_avx512_unaligned_erms'), ours('wdc::sctp::SendQueue::front')],
    [ours('wdc::native::MessageMemory::copy')]],
  'channel, coroutines, loop, user': [[ours('wdc::core::Channel::admit')], [ours('non-virtual thunk to wdc::native::NativePeer::send')]],
  [rest]: [[kernel('clear_page_erms'), kernel('exc_page_fault'), ours('somebody::else'), ours('wdc::sctp::SendQueue::push')],
    [ours('somebody::else')], []],
};

test('each stage knows its functions, and what nobody knows is the rest', () => {
  assert.deepEqual(Object.keys(chains), stages.map(({ name }) => name));
  for (const [stage, each] of Object.entries(chains)) {
    for (const frames of each) assert.equal(stageOf(frames), stage, JSON.stringify(frames));
  }
});

test('every sample falls in one stage, and the shares add up to one', () => {
  const samples = Object.values(chains).flat().map((frames, index) => ({ thread: 'sender', period: 1 + index, frames }));
  const found = shares(samples);
  const total = samples.reduce((sum, { period }) => sum + period, 0);
  assert.deepEqual([...found.stages.keys()], stages.map(({ name }) => name));
  assert.ok(Math.abs([...found.stages.values()].reduce((sum, share) => sum + share) - 1) < 1e-9);
  for (const [stage, share] of found.stages) {
    const own = samples.filter(({ frames }) => chains[stage].includes(frames)).reduce((sum, { period }) => sum + period, 0);
    assert.ok(Math.abs(share - own / total) < 1e-9, stage);
  }
  const others = found.others.reduce((sum, [, share]) => sum + share, 0);
  assert.ok(Math.abs(others - found.stages.get(rest)) < 1e-9);
  assert.throws(() => shares([]), /no samples/);
});

test('the samples that perf prints are read with threads, times and chains', () => {
  const text = [
    'sender 20249     250000 ',
    '\tffffffff81e310b5 udp_sendmsg ([kernel.kallsyms])',
    '\t          10ac4d __libc_sendmsg (/usr/lib/x86_64-linux-gnu/libc.so.6)',
    '',
    'receiver 20250     250001 ',
    '\t           63160 wdc::sctp::(anonymous namespace)::update(int) (/somewhere/peers_bench)',
    '\tfb8948000003f0be [unknown] ([unknown])',
    '', '',
  ].join('\n');
  assert.deepEqual(parseSamples(text), [
    { thread: 'sender', period: 250_000, frames: [kernel('udp_sendmsg'), libc('__libc_sendmsg')] },
    { thread: 'receiver', period: 250_001, frames: [ours('wdc::sctp::(anonymous namespace)::update(int)'),
      { symbol: '[unknown]', library: '[unknown]' }] },
  ]);
  assert.throws(() => parseSamples('warning: lost chunks\n'), /no sample/);
});
