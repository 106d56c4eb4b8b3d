// SPDX-License-Identifier: MIT
#include "src/native/sctp/stream_reset.h"

#include "src/native/sctp/packet/reconfig_chunk.h"

namespace wdc::sctp {

void StreamReset::want(StreamId stream) {
  if (states_[stream] != ResetState::none) return;
  states_[stream] = ResetState::wanted;
  wanted_.push_back(stream);
}

ResetState StreamReset::state(StreamId stream) const {
  const ResetState* state = states_.find(stream);
  return state == nullptr ? ResetState::none : *state;
}

StreamReset::Verdict StreamReset::handle_request(const OutgoingResetParameter& request, UnwrappedTsn cumulative) {
  if (request.request == expected_.plus(-1) && waiting_for_) {
    respond(request.request, ReconfigResult::in_progress);
    return Verdict::answered;
  }
  if (request.request == expected_.plus(-1)) {  // our answer was lost
    respond(request.request, last_result_);
    return Verdict::answered;
  }
  if (request.request != expected_) {
    respond(request.request, ReconfigResult::bad_request_number);
    return Verdict::answered;
  }
  expected_ = expected_.next();
  peer_streams_.clear();
  for (std::size_t i = 0; i < request.stream_count(); ++i) peer_streams_.push_back(request.stream(i));
  // Section 5.2.2: what was sent before the reset is to be received first. The answer waits as long as the peer does;
  // if it asks again, it hears "in progress".
  waiting_for_ = UnwrappedTsn::near(cumulative, request.last_assigned_tsn);
  return poll_waiting(cumulative) ? Verdict::perform : Verdict::wait;
}

bool StreamReset::poll_waiting(UnwrappedTsn cumulative) { return waiting_for_ && *waiting_for_ <= cumulative; }

void StreamReset::performed() {
  waiting_for_.reset();
  last_result_ = ReconfigResult::performed;
  respond(expected_.plus(-1), last_result_);
}

void StreamReset::handle_denied(RequestNumber number) {
  if (number == expected_) {
    expected_ = expected_.next();
    waiting_for_.reset();
    last_result_ = ReconfigResult::denied;
  } else if (number != expected_.plus(-1)) {
    respond(number, ReconfigResult::bad_request_number);
    return;
  }
  respond(number, last_result_);
}

void StreamReset::respond(RequestNumber number, ReconfigResult result) {
  if (responses_.size() < kMostResponses) responses_.push_back({number, result});
}

StreamReset::Answer StreamReset::handle_response(const ReconfigResponseParameter& response, TimePoint now,
                                                 Duration timeout) {
  if (requested_.empty() || response.response != next_request_) return Answer::ignored;
  switch (response.result) {
    case ReconfigResult::performed:
    case ReconfigResult::nothing_to_do:
      return Answer::done;
    case ReconfigResult::in_progress:
      // Browsers answer a repeated number with the same words for ever: ask under a new one.
      renumber_ = true;
      deadline_ = now + timeout;
      write_due_ = false;
      return Answer::ignored;
    default:
      return Answer::failed;
  }
}

void StreamReset::forget_requested() {
  for (const StreamId stream : requested_) states_[stream] = ResetState::none;
  requested_.clear();
  next_request_ = next_request_.next();
  write_due_ = renumber_ = false;
  deadline_ = kNever;
}

void StreamReset::write(PacketWriter& packet, TimePoint now, Duration timeout) {
  while (!responses_.empty() && packet.append(ReconfigToSend<ReconfigResponseParameter>{responses_.front()})) {
    responses_.erase(responses_.begin());
  }
  if (!write_due_) return;
  const OutgoingResetToSend request{next_request_, expected_.plus(-1), last_assigned_, requested_};
  if (!packet.append(ReconfigToSend<OutgoingResetToSend>{request})) return;
  write_due_ = false;
  deadline_ = now + timeout;
}

bool StreamReset::handle_timeout() {
  deadline_ = kNever;
  if (requested_.empty()) return false;
  write_due_ = true;
  if (!renumber_) return true;
  renumber_ = false;
  next_request_ = next_request_.next();
  return false;
}

}  // namespace wdc::sctp
