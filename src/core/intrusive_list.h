// SPDX-License-Identifier: MIT
#pragma once

namespace wdc::core {

/// A place in the list `Tag`; a base class of what is listed. Unlinks itself when destroyed.
template <class Tag>
class ListLink {
 public:
  ListLink() = default;
  ListLink(const ListLink&) = delete;
  ListLink& operator=(const ListLink&) = delete;
  ~ListLink() { unlink(); }

  [[nodiscard]] bool linked() const noexcept { return next_ != this; }
  void unlink() noexcept {
    previous_->next_ = next_;
    next_->previous_ = previous_;
    previous_ = next_ = this;
  }

 private:
  template <class T, class U>
  friend class IntrusiveList;
  ListLink* previous_ = this;
  ListLink* next_ = this;
};

/// Objects that exist elsewhere, in the order they were added; allocates nothing.
template <class T, class Tag>
class IntrusiveList {
 public:
  IntrusiveList() = default;
  IntrusiveList(const IntrusiveList&) = delete;
  IntrusiveList& operator=(const IntrusiveList&) = delete;
  ~IntrusiveList() {
    while (!empty()) head_.next_->unlink();
  }

  [[nodiscard]] bool empty() const noexcept { return head_.next_ == &head_; }
  [[nodiscard]] T* front() noexcept { return empty() ? nullptr : static_cast<T*>(head_.next_); }
  /// REQUIRES: `item` is in this list.
  [[nodiscard]] T* after(T& item) noexcept {
    ListLink<Tag>* const next = static_cast<ListLink<Tag>&>(item).next_;
    return next == &head_ ? nullptr : static_cast<T*>(next);
  }
  void push_back(T& item) noexcept {
    ListLink<Tag>& link = item;
    link.unlink();
    link.previous_ = head_.previous_;
    link.next_ = &head_;
    head_.previous_->next_ = &link;
    head_.previous_ = &link;
  }

 private:
  ListLink<Tag> head_;
};

}  // namespace wdc::core
