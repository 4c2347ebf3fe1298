# Set up EAV-Live and run it on Windows: .\dev.ps1 demo | test | lint | run ARGS | ...
# The twin of ./dev. Needs Python 3.11-3.13 (python.org or the Microsoft Store). Everything
# goes into .venv here; on Windows no system libraries are missing.
# Where scripts are forbidden: powershell -ExecutionPolicy Bypass -File .\dev.ps1 demo
# Not run here: no Windows was at hand.
$ErrorActionPreference = 'Stop'
Set-Location $PSScriptRoot
$env:UV_PYTHON_DOWNLOADS = 'never'
$Home_ = if ($env:LOCALAPPDATA) { $env:LOCALAPPDATA } else { Join-Path $HOME '.cache' }
$Tools = Join-Path $Home_ 'eav-live/uv'
$Bin = if ($env:OS -eq 'Windows_NT') { 'Scripts' } else { 'bin' }

function Invoke-Checked { # a program that must succeed; its exit status is ours
    $program, $arguments = $args
    & $program @arguments
    if ($LASTEXITCODE -ne 0) { exit $LASTEXITCODE }
}

function Find-Python {
    $check = 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))'
    $candidates = @(
        @('py', '-3.13'), @('py', '-3.12'), @('py', '-3.11'), @('python'), @('python3')
    )
    foreach ($candidate in $candidates) {
        if (-not (Get-Command $candidate[0] -ErrorAction SilentlyContinue)) { continue }
        $program, $arguments = $candidate
        $arguments = @($arguments) + @('-c', $check) | Where-Object { $_ }
        try { & $program @arguments 2>$null } catch { continue }
        if ($LASTEXITCODE -eq 0) { return , $candidate }
    }
    Write-Error 'Python 3.11, 3.12 or 3.13 is needed and none was found: see https://www.python.org/downloads/'
}

function Find-Uv {
    $there = Get-Command uv -ErrorAction SilentlyContinue
    if ($there) { return $there.Source }
    $uv = Join-Path $Tools "$Bin/uv"
    if ($env:OS -eq 'Windows_NT') { $uv = "$uv.exe" }
    if (-not (Test-Path $uv)) {
        Write-Host "Fetching uv into $Tools"
        $program, $arguments = Find-Python
        $arguments = @($arguments) + @('-m', 'venv', $Tools) | Where-Object { $_ }
        Invoke-Checked $program @arguments
        Invoke-Checked (Join-Path $Tools "$Bin/python") -m pip install -q uv
    }
    return $uv
}

function Invoke-Setup { Invoke-Checked $Uv sync --extra dev --quiet }

$Command, $Rest = $args
$Rest = @($Rest) | Where-Object { $null -ne $_ }
$Commands = @(
    'demo', 'test', 'bench', 'lint', 'docs', 'setup', 'mutants', 'words', 'screenshots',
    'demo-model', 'people-model', 'speech-model', 'pins', 'run'
)
if ($Command -notin $Commands) {
    Write-Host "usage: .\dev.ps1 $($Commands -join ' | ') [ARGS]"
    exit 2
}
$Uv = Find-Uv
if ($Command -ne 'pins') { Invoke-Setup }
switch ($Command) {
    'setup' { }
    'demo' { Invoke-Checked $Uv run --no-sync eav-live --demo @Rest }
    'run' { Invoke-Checked $Uv run --no-sync @Rest }
    'test' { Invoke-Checked $Uv run --no-sync pytest -n 3 @Rest }
    'lint' {
        Invoke-Checked $Uv run --no-sync ruff format --check .
        Invoke-Checked $Uv run --no-sync ruff check .
        Invoke-Checked $Uv run --no-sync mypy
        Invoke-Checked $Uv run --no-sync lint-imports
    }
    'mutants' { Invoke-Checked $Uv run --no-sync python tests/mutants.py @Rest }
    'bench' { Invoke-Checked $Uv run --no-sync python -m benchmarks @Rest }
    'words' { Invoke-Checked $Uv run --no-sync python .ci/words.py @Rest }
    'screenshots' { Invoke-Checked $Uv run --no-sync python -m benchmarks.live.screenshots @Rest }
    'docs' {
        Invoke-Checked $Uv sync --extra dev --extra docs --quiet
        $env:NO_MKDOCS_2_WARNING = '1'
        Invoke-Checked $Uv run --no-sync mkdocs build --strict @Rest
    }
    'demo-model' { Invoke-Checked $Uv run --no-sync python -m benchmarks.offline.demo_model @Rest }
    'people-model' { Invoke-Checked $Uv run --no-sync python -m benchmarks.offline.people_model @Rest }
    'speech-model' { Invoke-Checked $Uv run --no-sync python -m benchmarks.offline.speech_model @Rest }
    'pins' { Invoke-Checked $Uv run --no-project python .ci/renew_pins.py $Uv }
}
