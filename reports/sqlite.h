// SPDX-License-Identifier: GPL-2.0-or-later
//
// SQLite, as far as results.db needs it. Whatever fails throws SqlError; results_db.cpp makes sentences of it.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

namespace aio {

struct SqlError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class Sqlite {
 public:
  enum class Mode : std::uint8_t { kRead, kMake };
  // ":memory:" is a database that is gone with this object.
  Sqlite(const std::string& path, Mode mode);

  void run(const std::string& sql);
  sqlite3* get() const { return db_.get(); }

 private:
  struct Close {
    void operator()(sqlite3* db) const { ::sqlite3_close(db); }
  };
  std::unique_ptr<sqlite3, Close> db_;
};

// A prepared statement: bind each ? in turn, then step through the rows.
class Statement {
 public:
  Statement(const Sqlite& db, std::string_view sql);

  Statement& bind(std::int64_t number);
  Statement& bind(std::uint64_t number) { return bind(static_cast<std::int64_t>(number)); }
  Statement& bind(double number);
  Statement& bind(std::string_view text);
  Statement& bind_blob(std::string_view bytes);
  // Whether there is a row.
  bool step();
  // To its end, of one without rows.
  void run();

  std::int64_t number(int column) const;
  std::uint64_t count(int column) const { return static_cast<std::uint64_t>(number(column)); }
  double real(int column) const;
  std::string text(int column) const;  // or the bytes of a blob

 private:
  void check(int result) const;

  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { ::sqlite3_finalize(statement); }
  };
  sqlite3* db_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  int bound_ = 0;
};

// Undone unless commit() was called.
class Transaction {
 public:
  explicit Transaction(Sqlite& db) : db_(&db) { db.run("BEGIN IMMEDIATE"); }
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit();

 private:
  Sqlite* db_;
};

}  // namespace aio
