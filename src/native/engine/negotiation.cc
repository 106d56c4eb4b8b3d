// SPDX-License-Identifier: MIT
#include "src/native/engine/negotiation.h"

#include <utility>

namespace wdc::native {

const sdp::Description* Negotiation::remote() const {
  if (pending_remote_) return &*pending_remote_;
  return current_remote_ ? &*current_remote_ : nullptr;
}

const sdp::Description* Negotiation::local() const {
  if (pending_local_) return &*pending_local_;
  return current_local_ ? &*current_local_ : nullptr;
}

Result<void> Negotiation::wrong_state(std::string_view what) const {
  return fail(Errc::negotiation_failed, std::string(what) + " while " + std::string(name(state_)));
}

Result<SessionDescription> Negotiation::create_offer(sdp::DataSection section) {
  if (state_ != SignalingState::stable && state_ != SignalingState::have_local_offer)
    return std::unexpected(wrong_state("an offer cannot be made").error());
  section.setup = sdp::Setup::actpass;
  section.mid = current_local_ ? current_local_->data.mid : "0";
  auto description = sdp::make_offer(std::move(section), session_id_, next_version_++);
  if (current_local_ && current_local_->sections.size() > 1) {
    // RFC 8829 section 5.2.2: an m= line stays where it is.
    auto data = description.sections[description.data_index];
    description.sections = current_local_->sections;
    description.data_index = current_local_->data_index;
    description.sections[description.data_index] = std::move(data);
  }
  last_offer_ = Made{sdp::write(description), std::move(description)};
  return SessionDescription{SdpType::offer, last_offer_->text};
}

Result<SessionDescription> Negotiation::create_answer(sdp::DataSection section) {
  if (state_ != SignalingState::have_remote_offer)
    return std::unexpected(wrong_state("an answer cannot be made").error());
  auto description = sdp::make_answer(*pending_remote_, std::move(section), session_id_, next_version_++);
  if (current_local_) {
    // RFC 8842 section 5.3: who has a DTLS association keeps its role in it.
    const auto before = is_offerer() ? sdp::answering(current_remote_->data.setup) : current_local_->data.setup;
    if (pending_remote_->data.setup == sdp::Setup::actpass && before != sdp::Setup::actpass)
      description.data.setup = before;
  }
  last_answer_ = Made{sdp::write(description), std::move(description)};
  return SessionDescription{SdpType::answer, last_answer_->text};
}

Result<NegotiationChange> Negotiation::roll_back() {
  if (state_ == SignalingState::stable) return std::unexpected(wrong_state("there is nothing to roll back").error());
  pending_local_.reset();
  pending_remote_.reset();
  state_ = SignalingState::stable;
  return NegotiationChange{.rolled_back = true};
}

Result<NegotiationChange> Negotiation::set_local(const SessionDescription& description) {
  switch (description.type) {
    case SdpType::rollback:
      return roll_back();
    case SdpType::pranswer:
      return fail(Errc::unsupported, "provisional answers");
    case SdpType::offer:
      if (state_ != SignalingState::stable && state_ != SignalingState::have_local_offer)
        return std::unexpected(wrong_state("an offer of ours cannot be applied").error());
      if (!last_offer_ || (!description.sdp.empty() && description.sdp != last_offer_->text))
        return fail(Errc::negotiation_failed, "the offer is not what create_offer() gave last");
      pending_local_ = last_offer_->description;
      state_ = SignalingState::have_local_offer;
      offerer_ = true;
      return NegotiationChange{};
    case SdpType::answer:
      break;
  }
  if (state_ != SignalingState::have_remote_offer)
    return std::unexpected(wrong_state("an answer of ours cannot be applied").error());
  if (!last_answer_ || (!description.sdp.empty() && description.sdp != last_answer_->text))
    return fail(Errc::negotiation_failed, "the answer is not what create_answer() gave last");
  current_local_ = last_answer_->description;
  current_remote_ = std::move(pending_remote_);
  pending_remote_.reset();
  state_ = SignalingState::stable;
  offerer_ = false;
  return NegotiationChange{.settled = true};
}

Result<NegotiationChange> Negotiation::set_remote(const SessionDescription& description) {
  if (description.type == SdpType::rollback) return roll_back();
  if (description.type == SdpType::pranswer) return fail(Errc::unsupported, "provisional answers");
  const bool is_offer = description.type == SdpType::offer;
  if (!is_offer && state_ != SignalingState::have_local_offer)
    return std::unexpected(wrong_state("an answer of the peer cannot be applied").error());

  auto parsed = sdp::parse(description.sdp, is_offer ? sdp::DescriptionKind::offer : sdp::DescriptionKind::answer);
  if (!parsed) return fail(Errc::negotiation_failed, parsed.error().message());
  if (!is_offer) {
    if (const auto difference = sdp::mismatch(*pending_local_, *parsed))
      return fail(Errc::negotiation_failed, "the answer does not fit the offer: " + *difference);
    current_local_ = std::move(pending_local_);
    current_remote_ = std::move(*parsed);
    pending_local_.reset();
    state_ = SignalingState::stable;
    return NegotiationChange{.settled = true};
  }
  const bool takes_back = state_ == SignalingState::have_local_offer;
  pending_local_.reset();
  pending_remote_ = std::move(*parsed);
  state_ = SignalingState::have_remote_offer;
  offerer_ = false;
  return NegotiationChange{.rolled_back = takes_back};
}

}  // namespace wdc::native
