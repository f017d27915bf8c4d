// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/sqlite.h"

#include <utility>

namespace aio {
namespace {

constexpr int kBusyMs = 10'000;  // another process may write

int flags(Sqlite::Mode mode) {
  switch (mode) {
    case Sqlite::Mode::kRead:
      return SQLITE_OPEN_READONLY;
    case Sqlite::Mode::kMake:
      return SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  }
  return 0;
}

}  // namespace

Sqlite::Sqlite(const std::string& path, Mode mode) {
  sqlite3* db = nullptr;
  const int result = ::sqlite3_open_v2(path.c_str(), &db, flags(mode), nullptr);
  db_.reset(db);
  if (result != SQLITE_OK) throw SqlError(db == nullptr ? "no memory" : ::sqlite3_errmsg(db));
  ::sqlite3_busy_timeout(db, kBusyMs);
  // Otherwise the latest commit may be undone where the power goes right after it.
  if (mode != Mode::kRead) run("PRAGMA synchronous = EXTRA");
}

void Sqlite::run(const std::string& sql) {
  if (::sqlite3_exec(db_.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
    throw SqlError(::sqlite3_errmsg(db_.get()));
  }
}

Statement::Statement(const Sqlite& db, std::string_view sql) : db_(db.get()) {
  sqlite3_stmt* statement = nullptr;
  check(::sqlite3_prepare_v2(db_, sql.data(), static_cast<int>(sql.size()), &statement, nullptr));
  statement_.reset(statement);
}

void Statement::check(int result) const {
  if (result != SQLITE_OK) throw SqlError(::sqlite3_errmsg(db_));
}

Statement& Statement::bind(std::int64_t number) {
  check(::sqlite3_bind_int64(statement_.get(), ++bound_, number));
  return *this;
}

Statement& Statement::bind(double number) {
  check(::sqlite3_bind_double(statement_.get(), ++bound_, number));
  return *this;
}

Statement& Statement::bind(std::string_view text) {
  check(::sqlite3_bind_text64(statement_.get(), ++bound_, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8));
  return *this;
}

Statement& Statement::bind_blob(std::string_view bytes) {
  check(::sqlite3_bind_blob64(statement_.get(), ++bound_, bytes.data(), bytes.size(), SQLITE_TRANSIENT));
  return *this;
}

bool Statement::step() {
  const int result = ::sqlite3_step(statement_.get());
  if (result != SQLITE_ROW && result != SQLITE_DONE) throw SqlError(::sqlite3_errmsg(db_));
  return result == SQLITE_ROW;
}

void Statement::run() {
  while (step()) {
  }
}

std::int64_t Statement::number(int column) const { return ::sqlite3_column_int64(statement_.get(), column); }

double Statement::real(int column) const { return ::sqlite3_column_double(statement_.get(), column); }

std::string Statement::text(int column) const {
  const void* const bytes = ::sqlite3_column_blob(statement_.get(), column);
  const int size = ::sqlite3_column_bytes(statement_.get(), column);
  return bytes == nullptr ? "" : std::string(static_cast<const char*>(bytes), static_cast<std::size_t>(size));
}

Transaction::~Transaction() {
  if (db_ != nullptr) ::sqlite3_exec(db_->get(), "ROLLBACK", nullptr, nullptr, nullptr);
}

void Transaction::commit() { std::exchange(db_, nullptr)->run("COMMIT"); }

}  // namespace aio
