@rem The menu entry goes; recordings, models and settings are the user's and stay.
"%PREFIX%\python.exe" -c "from menuinst.api import remove; import sys; remove(sys.argv[1], target_prefix=sys.argv[2], base_prefix=sys.argv[2])" "%PREFIX%\Menu\eav-live.json" "%PREFIX%"
