/*
 * luaL_openlibs in place of Lua's own linit.c, which asks to be replaced where a program has other libraries (Lua 5.4
 * manual, 6.3): the standard ones, and LPeg's C for `require`, since a guest cannot load shared objects.
 */
#include "lauxlib.h"
#include "lua.h"
#include "lualib.h"

int luaopen_lpeg(lua_State *L);

static const luaL_Reg libraries[] = {
  {LUA_GNAME, luaopen_base},          {LUA_LOADLIBNAME, luaopen_package}, {LUA_COLIBNAME, luaopen_coroutine},
  {LUA_TABLIBNAME, luaopen_table},    {LUA_IOLIBNAME, luaopen_io},        {LUA_OSLIBNAME, luaopen_os},
  {LUA_STRLIBNAME, luaopen_string},   {LUA_MATHLIBNAME, luaopen_math},    {LUA_UTF8LIBNAME, luaopen_utf8},
  {LUA_DBLIBNAME, luaopen_debug},
};

LUALIB_API void luaL_openlibs(lua_State *L) {
  for (size_t i = 0; i < sizeof libraries / sizeof *libraries; i++) {
    luaL_requiref(L, libraries[i].name, libraries[i].func, 1);
    lua_pop(L, 1);
  }
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  lua_pushcfunction(L, luaopen_lpeg);
  lua_setfield(L, -2, "lpeg");
  lua_pop(L, 1);
}
