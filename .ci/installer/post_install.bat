@rem Of the installer for Windows. constructor sets PREFIX, the recipe EAV_LIVE.
"%PREFIX%\python.exe" -m pip install --quiet --no-index --find-links "%PREFIX%\wheels" "%EAV_LIVE%" || exit /b 1
rmdir /s /q "%PREFIX%\wheels"
"%PREFIX%\python.exe" -c "from menuinst.api import install; import sys; install(sys.argv[1], target_prefix=sys.argv[2], base_prefix=sys.argv[2])" "%PREFIX%\Menu\eav-live.json" "%PREFIX%" || exit /b 1
