<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="zh_CN" sourcelanguage="en_US">
<context>
    <name></name>
    <message>
        <source>Neutral</source>
        <translation>中性</translation>
    </message>
    <message>
        <source>Sadness</source>
        <translation>悲伤</translation>
    </message>
    <message>
        <source>Anger</source>
        <translation>愤怒</translation>
    </message>
    <message>
        <source>Happiness</source>
        <translation>快乐</translation>
    </message>
    <message>
        <source>Calmness</source>
        <translation>平静</translation>
    </message>
    <message>
        <source>Undecided</source>
        <translation>未决</translation>
    </message>
    <message>
        <source>neutral</source>
        <translation>中性</translation>
    </message>
    <message>
        <source>sadness</source>
        <translation>悲伤</translation>
    </message>
    <message>
        <source>anger</source>
        <translation>愤怒</translation>
    </message>
    <message>
        <source>happiness</source>
        <translation>快乐</translation>
    </message>
    <message>
        <source>calmness</source>
        <translation>平静</translation>
    </message>
    <message>
        <source>No estimate</source>
        <translation>无估计</translation>
    </message>
    <message>
        <source>off</source>
        <translation>未用</translation>
    </message>
    <message>
        <source>connecting</source>
        <translation>连接中</translation>
    </message>
    <message>
        <source>live</source>
        <translation>实时</translation>
    </message>
    <message>
        <source>returned</source>
        <translation>已恢复</translation>
    </message>
    <message>
        <source>late</source>
        <translation>延迟</translation>
    </message>
    <message>
        <source>lost</source>
        <translation>中断</translation>
    </message>
    <message>
        <source>refused</source>
        <translation>被拒</translation>
    </message>
    <message>
        <source>missing</source>
        <translation>缺失</translation>
    </message>
    <message>
        <source>Voice</source>
        <translation>语音</translation>
    </message>
    <message>
        <source>Face</source>
        <translation>面部</translation>
    </message>
    <message>
        <source>voice</source>
        <translation>语音</translation>
    </message>
    <message>
        <source>face</source>
        <translation>面部</translation>
    </message>
    <message>
        <source>audio</source>
        <translation>语音</translation>
    </message>
    <message>
        <source>video</source>
        <translation>面部</translation>
    </message>
    <message>
        <source>arousal</source>
        <translation>唤醒度</translation>
    </message>
    <message>
        <source>dominance</source>
        <translation>支配度</translation>
    </message>
    <message>
        <source>valence</source>
        <translation>效价</translation>
    </message>
    <message>
        <source>theta</source>
        <translation>θ 频段</translation>
    </message>
    <message>
        <source>alpha</source>
        <translation>α 频段</translation>
    </message>
    <message>
        <source>beta</source>
        <translation>β 频段</translation>
    </message>
    <message>
        <source>gamma</source>
        <translation>γ 频段</translation>
    </message>
    <message>
        <source>microphone</source>
        <translation>麦克风</translation>
    </message>
    <message>
        <source>camera</source>
        <translation>摄像头</translation>
    </message>
    <message>
        <source>streams</source>
        <translation>数据流</translation>
    </message>
    <message>
        <source>nothing</source>
        <translation>无</translation>
    </message>
    <message>
        <source>What it is</source>
        <translation>模型说明</translation>
    </message>
    <message>
        <source>Reads</source>
        <translation>输入</translation>
    </message>
    <message>
        <source>Tells</source>
        <translation>可识别</translation>
    </message>
    <message>
        <source>Adapted to</source>
        <translation>适配对象</translation>
    </message>
    <message>
        <source>Shown so far</source>
        <translation>已有验证</translation>
    </message>
    <message>
        <source>Learned from</source>
        <translation>训练数据</translation>
    </message>
    <message>
        <source>Tested</source>
        <translation>测试方法</translation>
    </message>
    <message>
        <source>Accuracy</source>
        <translation>准确率</translation>
    </message>
    <message>
        <source>Known failures</source>
        <translation>已知不足</translation>
    </message>
    <message>
        <source>License</source>
        <translation>许可</translation>
    </message>
    <message>
        <source>Made with</source>
        <translation>制作环境</translation>
    </message>
    <message>
        <source>not numbers</source>
        <translation>非数值</translation>
    </message>
    <message>
        <source>flat</source>
        <translation>平直</translation>
    </message>
    <message>
        <source>railed</source>
        <translation>饱和</translation>
    </message>
    <message>
        <source>noisy</source>
        <translation>噪声大</translation>
    </message>
    <message>
        <source>drifting</source>
        <translation>漂移</translation>
    </message>
    <message>
        <source>{hertz} Hz hum</source>
        <translation>{hertz} Hz 工频干扰</translation>
    </message>
    <message>
        <source>{text} and {n} more</source>
        <translation>{text}，另有 {n} 个</translation>
    </message>
    <message>
        <source>electrodes {faults}</source>
        <translation>电极 {faults}</translation>
    </message>
    <message>
        <source>{n} electrodes bad or missing, {most} allowed</source>
        <translation>{n} 个电极不良或缺失（最多允许 {most} 个）</translation>
    </message>
    <message>
        <source>samples that are not numbers</source>
        <translation>样本含非数值</translation>
    </message>
    <message>
        <source>no speech</source>
        <translation>无语音</translation>
    </message>
    <message>
        <source>no face</source>
        <translation>无人脸</translation>
    </message>
    <message>
        <source>the picture stands still</source>
        <translation>画面静止</translation>
    </message>
    <message>
        <source>someone else&apos;s voice, it seems</source>
        <translation>似乎是他人的声音</translation>
    </message>
    <message>
        <source>no order of a head: electrodes mixed up, or no EEG</source>
        <translation>不符合头皮分布：电极接错位置，或不是脑电</translation>
    </message>
    <message>
        <source>contradicts the two others</source>
        <translation>与另外两种信号相矛盾</translation>
    </message>
    <message>
        <source>dead silence: muted, or no sound at all</source>
        <translation>完全无声：已静音，或没有声音输入</translation>
    </message>
    <message>
        <source>clipped: turn the gain down</source>
        <translation>信号削顶：请调低增益</translation>
    </message>
    <message>
        <source>no frames</source>
        <translation>无图像帧</translation>
    </message>
    <message>
        <source>no data</source>
        <translation>无数据</translation>
    </message>
    <message>
        <source>pictures are missing</source>
        <translation>缺少画面</translation>
    </message>
    <message>
        <source>no {n} s at one go</source>
        <translation>没有连续的 {n} 秒</translation>
    </message>
    <message>
        <source>too many bad electrodes</source>
        <translation>不良电极过多</translation>
    </message>
    <message>
        <source>collecting {seconds} of {all} s</source>
        <translation>正在采集 {seconds}/{all} 秒</translation>
    </message>
    <message>
        <source>newest data {seconds} s old</source>
        <translation>最新数据已是 {seconds} 秒前</translation>
    </message>
    <message>
        <source>samples come late by {seconds} s; over {most} s they are left out</source>
        <translation>样本迟到 {seconds} 秒；超过 {most} 秒则不采用</translation>
    </message>
    <message>
        <source>{rate} samples a second instead of {all}: samples are lost, or the sender states a wrong rate</source>
        <translation>每秒 {rate} 个样本，而非 {all} 个：样本有丢失，或发送端声明的采样率有误</translation>
    </message>
    <message>
        <source>samples come without a valid time stamp and are placed by when they arrive; restart the sender&apos;s program</source>
        <translation>样本没有有效的时间戳，按到达时间排列；请重启发送端程序</translation>
    </message>
    <message>
        <source>the sender&apos;s clock stepped by {seconds} s</source>
        <translation>发送端时钟跳变 {seconds} 秒</translation>
    </message>
    <message>
        <source>is this another person now?</source>
        <translation>是否换了一个人？</translation>
    </message>
    <message>
        <source>interpolated: {names}</source>
        <translation>插值：{names}</translation>
    </message>
    <message>
        <source>computed from their neighbors: {names}</source>
        <translation>由相邻电极计算：{names}</translation>
    </message>
    <message>
        <source>file ended</source>
        <translation>文件已播完</translation>
    </message>
    <message>
        <source>stopped: {why}</source>
        <translation>已停止：{why}</translation>
    </message>
    <message>
        <source>the microphone fell silent; is it still connected?</source>
        <translation>麦克风不再送来声音；是否仍已连接？</translation>
    </message>
    <message>
        <source>the camera gives no more frames; is it still connected?</source>
        <translation>摄像头不再送来图像；是否仍已连接？</translation>
    </message>
    <message>
        <source>looking for an LSL stream of type {kind} named {name}; visible of this type: {names}</source>
        <translation>正在查找类型为 {kind}、名称为 {name} 的 LSL 数据流；当前可见的同类数据流：{names}</translation>
    </message>
    <message>
        <source>none</source>
        <translation>无</translation>
    </message>
    <message>
        <source>no microphone opens ({why}). Connect one, or use --audio mic:DEVICE (`eav-live devices` lists them), lsl:NAME, file:PATH or none.</source>
        <translation>无法打开麦克风（{why}）。请连接麦克风，或使用 --audio mic:DEVICE（用 `eav-live devices` 列出）、lsl:NAME、file:PATH 或 none。</translation>
    </message>
    <message>
        <source>{name} does not open. Connect one, allow this program to use it (on Linux: membership of the group video), or use --video camera:INDEX (`eav-live devices` lists them), lsl:NAME, file:PATH or none.</source>
        <translation>{name} 无法打开。请连接摄像头，允许本程序使用它（Linux 下需加入 video 组），或使用 --video camera:INDEX（用 `eav-live devices` 列出）、lsl:NAME、file:PATH 或 none。</translation>
    </message>
    <message>
        <source>camera {n}</source>
        <translation>摄像头 {n}</translation>
    </message>
    <message>
        <source>{name} states no sampling rate; an even rate of {least} Hz or more is needed. Set the nominal rate in the amplifier&apos;s program, or give `rate` under [eeg] in {file}.</source>
        <translation>{name} 未声明采样率；需要不低于 {least} Hz 的固定采样率。请在放大器程序中设置标称采样率，或在 {file} 的 [eeg] 下填写 `rate`。</translation>
    </message>
    <message>
        <source>{name} runs at {rate} Hz; {least} Hz or more are needed for the band of 0.5-50 Hz. Raise the rate at the amplifier.</source>
        <translation>{name} 的采样率为 {rate} Hz；0.5–50 Hz 频段需要不低于 {least} Hz。请在放大器上提高采样率。</translation>
    </message>
    <message>
        <source>{name} names none of its {n} channels, and electrodes are never chosen by position. Have the amplifier&apos;s LSL program write labels into the header, or list all of them, in order, as `labels` under [eeg] in {file}.</source>
        <translation>{name} 的 {n} 个通道均无名称，而电极从不按位置选取。请让放大器的 LSL 程序在头信息中写入标签，或在 {file} 的 [eeg] 下用 `labels` 按顺序列出全部标签。</translation>
    </message>
    <message>
        <source>sound at {least} Hz or more is needed; have its program send the sound itself, and state its rate</source>
        <translation>需要不低于 {least} Hz 的声音；请让其程序发送声音本身并声明采样率</translation>
    </message>
    <message>
        <source>there is a camera that gives no picture; close other programs that use it, or allow this one to (on Linux: membership of the group video)</source>
        <translation>有一个摄像头没有图像；请关闭正在使用它的其他程序，或允许本程序使用它（Linux 下需加入 video 组）</translation>
    </message>
    <message>
        <source>camera {name} gives no picture. Close other programs that use it, or allow this one to (on Linux: membership of the group video).</source>
        <translation>摄像头 {name} 没有图像。请关闭正在使用它的其他程序，或允许本程序使用它（Linux 下需加入 video 组）。</translation>
    </message>
    <message>
        <source>another stream has the same name, computer and source id; stop one of them, or give it another name</source>
        <translation>另有一个数据流的名称、计算机和 source id 都相同；请停止其中一个，或改用其他名称</translation>
    </message>
    <message>
        <source>--save-preset {name} cannot be used; give up to 64 letters, digits, - and _, such as lab1</source>
        <translation>名称 {name} 不可用；请使用最多 64 个字母、数字、- 和 _，如 lab1</translation>
    </message>
    <message>
        <source>this file has no sound; choose another</source>
        <translation>此文件没有声音；请另选一个</translation>
    </message>
    <message>
        <source>this file has no picture; choose another</source>
        <translation>此文件没有图像；请另选一个</translation>
    </message>
    <message>
        <source>Loading {model}…</source>
        <translation>正在加载 {model}…</translation>
    </message>
    <message>
        <source>the model {name}</source>
        <translation>模型 {name}</translation>
    </message>
    <message>
        <source>the demo and its model</source>
        <translation>演示及其模型</translation>
    </message>
    <message>
        <source>the embedded model</source>
        <translation>内置模型</translation>
    </message>
    <message>
        <source>Looking for {streams}…</source>
        <translation>正在查找 {streams}…</translation>
    </message>
    <message>
        <source>the demo&apos;s streams</source>
        <translation>演示数据流</translation>
    </message>
    <message>
        <source>EEG stream {name}</source>
        <translation>EEG 数据流 {name}</translation>
    </message>
    <message>
        <source>stream {name}</source>
        <translation>数据流 {name}</translation>
    </message>
    <message>
        <source>Waiting for what the session must have…</source>
        <translation>正在等待会话所需的各项条件…</translation>
    </message>
    <message>
        <source>Demo model, trained on synthetic people: not valid for real people</source>
        <translation>演示模型，仅用合成人物训练：不适用于真人</translation>
    </message>
    <message>
        <source>no card: for whom it works is not stated</source>
        <translation>无模型卡：未说明适用于哪些人</translation>
    </message>
    <message>
        <source>{inputs} and {input}</source>
        <translation>{inputs}和{input}</translation>
    </message>
    <message>
        <source>{input} not used</source>
        <translation>不使用 {input}</translation>
    </message>
    <message>
        <source>{inputs} and {input} not used</source>
        <translation>不使用 {inputs} 和 {input}</translation>
    </message>
    <message>
        <source>adapted to {person}</source>
        <translation>已适配 {person}</translation>
    </message>
    <message>
        <source>the voice right on {share} of acted German and {other} of acted English speech (chance {chance})</source>
        <translation>语音在德语表演语料上正确率 {share}，英语为 {other}（随机水平 {chance}）</translation>
    </message>
    <message>
        <source>synthetic people only, not valid for real people</source>
        <translation>仅合成人物，不适用于真人</translation>
    </message>
    <message>
        <source>for whom it works was not tested here</source>
        <translation>适用于哪些人，此处未测试</translation>
    </message>
    <message>
        <source>not tested</source>
        <translation>未测试</translation>
    </message>
    <message>
        <source>{share} right (chance {chance}) on {whom}</source>
        <translation>正确率 {share}（随机水平 {chance}），{whom}</translation>
    </message>
    <message>
        <source>a trial run, {share} right (chance {chance}) on {whom}</source>
        <translation>试运行，正确率 {share}（随机水平 {chance}），{whom}</translation>
    </message>
    <message>
        <source>{n} person</source>
        <translation>{n} 人</translation>
    </message>
    <message>
        <source>{n} people</source>
        <translation>{n} 人</translation>
    </message>
    <message>
        <source>{people} it was not trained on</source>
        <translation>测试对象 {people}，均未参与训练</translation>
    </message>
    <message>
        <source>later trials of the {people} it was trained on</source>
        <translation>测试对象为参与训练的 {people}，取其后续试次</translation>
    </message>
    <message>
        <source>{people}, trained on or not</source>
        <translation>测试对象 {people}，可能参与过训练</translation>
    </message>
    <message>
        <source>Adaptation is frozen</source>
        <translation>适配已冻结</translation>
    </message>
    <message>
        <source>Adapting to this person: {n} of {all} windows seen</source>
        <translation>正在适配此人：已看到 {n}/{all} 个窗口</translation>
    </message>
    <message>
        <source>Adapting to this person: {n} of {all} windows seen ({modalities})</source>
        <translation>正在适配此人：已看到 {n}/{all} 个窗口（{modalities}）</translation>
    </message>
    <message>
        <source>Adapting to this person: waiting for more varied expressions</source>
        <translation>正在适配此人：等待更多样的表达</translation>
    </message>
    <message>
        <source>Adapting to this person: waiting for more varied expressions ({modalities})</source>
        <translation>正在适配此人：等待更多样的表达（{modalities}）</translation>
    </message>
    <message>
        <source>recording to {file}</source>
        <translation>正在录制到 {file}</translation>
    </message>
    <message>
        <source>recording to {file}, {time}, {room} GB left</source>
        <translation>正在录制到 {file}，{time}，剩余 {room} GB</translation>
    </message>
    <message>
        <source>recording to {file}, with losses: see the log</source>
        <translation>正在录制到 {file}，有丢失：见日志</translation>
    </message>
    <message>
        <source>recording to {file}, with losses: see the log, {time}, {room} GB left</source>
        <translation>正在录制到 {file}，有丢失：见日志，{time}，剩余 {room} GB</translation>
    </message>
    <message>
        <source>NOT recording to {file}: {why}</source>
        <translation>未能录制到 {file}：{why}</translation>
    </message>
    <message>
        <source>NOT recording to {file}: {why}, {time}, {room} GB left</source>
        <translation>未能录制到 {file}：{why}，{time}，剩余 {room} GB</translation>
    </message>
    <message>
        <source>{file} waits to be started</source>
        <translation>{file} 等待开始</translation>
    </message>
    <message>
        <source>{file} has {n} fault</source>
        <translation>{file} 有 {n} 处问题</translation>
    </message>
    <message>
        <source>{file} has {n} faults</source>
        <translation>{file} 有 {n} 处问题</translation>
    </message>
    <message>
        <source>{file} has {n} fault: {text}</source>
        <translation>{file} 有 {n} 处问题：{text}</translation>
    </message>
    <message>
        <source>{file} has {n} faults: {text}</source>
        <translation>{file} 有 {n} 处问题：{text}</translation>
    </message>
    <message>
        <source>{file} is whole: {seconds} s of {streams}</source>
        <translation>{file} 完整：{seconds} 秒 {streams}</translation>
    </message>
    <message>
        <source>{file} was not looked through</source>
        <translation>{file} 未经检查</translation>
    </message>
    <message>
        <source>{what} was lost and is back.</source>
        <translation>{what} 曾中断，现已恢复。</translation>
    </message>
    <message>
        <source>nothing is recorded, since the session lacks what it must have.</source>
        <translation>未录制：缺少会话所需的条件。</translation>
    </message>
    <message>
        <source>The electrodes are not steady.</source>
        <translation>电极信号不稳定。</translation>
    </message>
    <message>
        <source>{stream} is off: give {option}.</source>
        <translation>{stream} 未启用：请给出 {option}。</translation>
    </message>
    <message>
        <source>{stream} is {state}: {why}.</source>
        <translation>{stream} {state}：{why}。</translation>
    </message>
    <message>
        <source>{stream} is left out: {why}.</source>
        <translation>{stream} 未采用：{why}。</translation>
    </message>
    <message>
        <source>see that its sender is on</source>
        <translation>请确认发送端已开启</translation>
    </message>
    <message>
        <source>The electrodes are not judged yet: wait a moment.</source>
        <translation>电极尚未完成评估：请稍候。</translation>
    </message>
    <message>
        <source>Electrode {name} is {fault}: see to it.</source>
        <translation>电极 {name} {fault}：请检查。</translation>
    </message>
    <message>
        <source>electrode {name}</source>
        <translation>电极 {name}</translation>
    </message>
    <message>
        <source>electrodes</source>
        <translation>电极</translation>
    </message>
    <message>
        <source>disk</source>
        <translation>磁盘</translation>
    </message>
    <message>
        <source>{n} electrodes are bad or missing, {most} may be: see to {names}.</source>
        <translation>{n} 个电极不良或缺失（最多允许 {most} 个）：请检查 {names}。</translation>
    </message>
    <message>
        <source>No face ({why}): turn the camera, or more light.</source>
        <translation>没有人脸（{why}）：请转动摄像头或增加光照。</translation>
    </message>
    <message>
        <source>not looked for yet</source>
        <translation>尚未检测</translation>
    </message>
    <message>
        <source>markers {name}</source>
        <translation>标记流 {name}</translation>
    </message>
    <message>
        <source>There is no stream of markers {name}: start the program that sends it.</source>
        <translation>没有标记流 {name}：请启动发送它的程序。</translation>
    </message>
    <message>
        <source>The disk has {room} GB left of the {all} it must have: make room, or record elsewhere.</source>
        <translation>磁盘剩余 {room} GB，至少需要 {all} GB：请腾出空间，或录制到别处。</translation>
    </message>
    <message>
        <source>This session records your EEG, your voice and pictures of your face, and what a program estimates from them. The estimates are guesses at acted emotions and say nothing certain about you. The recordings stay on this computer, under a code instead of your name, and you may have them deleted at any time. You may end the session whenever you wish.</source>
        <translation>本次会话将记录您的脑电（EEG）、声音和面部图像，以及程序据此作出的估计。这些估计只是对表演情绪的猜测，不能确切说明您的任何情况。录制内容保存在本计算机上，以代码而非您的姓名标识；您可以随时要求删除。您可以随时结束本次会话。</translation>
    </message>
    <message>
        <source>A model of how you sound and look is learned from it. It holds features of what was recorded, and is kept only if you say so.</source>
        <translation>程序将由此学习一个关于您的声音和面容的模型。模型含有录制内容的特征，只有经您同意才会保留。</translation>
    </message>
    <message>
        <source>In this session a computer program estimates emotions from your face, your voice or your EEG. Its estimates are guesses at acted emotions and say nothing certain about you. You will not be shown any, and you may end the session whenever you wish.</source>
        <translation>在本次会话中，计算机程序会根据您的面部、声音或脑电（EEG）估计情绪。这些估计只是对表演情绪的猜测，不能确切说明您的任何情况。这些估计不会展示给您，您可以随时结束本次会话。</translation>
    </message>
    <message>
        <source>Recorded: {all_of_it}.</source>
        <translation>记录内容：{all_of_it}。</translation>
    </message>
    <message>
        <source>who asked for consent is empty; give initials or a name</source>
        <translation>征求同意者为空；请填写姓名或其缩写</translation>
    </message>
    <message>
        <source>{n} of {all} trials</source>
        <translation>{n}/{all} 个试次</translation>
    </message>
    <message>
        <source>trial {n} of {all}, {minutes} min left</source>
        <translation>试次 {n}/{all}，剩余 {minutes} 分钟</translation>
    </message>
    <message>
        <source>trial {n} of {all}, {void} void, {minutes} min left</source>
        <translation>试次 {n}/{all}，{void} 个作废，剩余 {minutes} 分钟</translation>
    </message>
    <message>
        <source>End the session?</source>
        <translation>结束会话？</translation>
    </message>
    <message>
        <source>Enter ends it. Esc goes back to the pause.</source>
        <translation>按 Enter 结束，按 Esc 返回暂停。</translation>
    </message>
    <message>
        <source>The session has ended</source>
        <translation>会话已结束</translation>
    </message>
    <message>
        <source>Thank you</source>
        <translation>谢谢</translation>
    </message>
    <message>
        <source>{n} of {all} trials are recorded.</source>
        <translation>已录制 {n}/{all} 个试次。</translation>
    </message>
    <message>
        <source>Paused</source>
        <translation>已暂停</translation>
    </message>
    <message>
        <source>When the space bar is pressed, {what}.</source>
        <translation>按空格键后，{what}。</translation>
    </message>
    <message>
        <source>the rest goes on</source>
        <translation>继续休息</translation>
    </message>
    <message>
        <source>the page is shown again</source>
        <translation>重新显示本页</translation>
    </message>
    <message>
        <source>trial {n} begins again with its countdown</source>
        <translation>试次 {n} 将从倒计时重新开始</translation>
    </message>
    <message>
        <source>All is there again: the space bar goes on.</source>
        <translation>一切已恢复：按空格键继续。</translation>
    </message>
    <message>
        <source>{what} in trial {n}.</source>
        <translation>试次 {n}：{what}。</translation>
    </message>
    <message>
        <source>R does it again, the space bar keeps it.</source>
        <translation>按 R 重做，按空格键保留。</translation>
    </message>
    <message>
        <source>Nothing is recorded: {why}</source>
        <translation>未在录制：{why}</translation>
    </message>
    <message>
        <source>Some of what came in was not recorded</source>
        <translation>部分数据未被录制</translation>
    </message>
    <message>
        <source>{modality} had a gap</source>
        <translation>{modality} 有间断</translation>
    </message>
    <message>
        <source>{stream} is {state}. {why}</source>
        <translation>{stream} {state}。{why}</translation>
    </message>
    <message>
        <source>How you sound and look</source>
        <translation>您的声音和面容</translation>
    </message>
    <message>
        <source>You will say short sentences, each for seconds only, as if you felt what is shown.</source>
        <translation>您将说一些短句，每句只需几秒，就像您正感受着屏幕所示的情绪。</translation>
    </message>
    <message>
        <source>Let face and voice show it, and go on in your own words until the ring is empty.</source>
        <translation>请让面部和声音都表现出来，并用自己的话继续说，直到圆环走完。</translation>
    </message>
    <message>
        <source>You may pause or stop at any time, without giving a reason.</source>
        <translation>您可以随时暂停或停止，无需说明理由。</translation>
    </message>
    <message>
        <source>You will listen, and then answer aloud, ten times, for twenty seconds each.</source>
        <translation>您将先听、再出声回答，共十次，每次二十秒。</translation>
    </message>
    <message>
        <source>You will listen, and then answer aloud, for twenty seconds each.</source>
        <translation>您将先听、再出声回答，每次二十秒。</translation>
    </message>
    <message>
        <source>Feel into the emotion that is shown, and speak as you would if it were yours.</source>
        <translation>请体会屏幕所示的情绪，就像它是您自己的情绪那样说话。</translation>
    </message>
    <message>
        <source>{n} of {all} clips are recorded already; {what}.</source>
        <translation>已录制 {n}/{all} 个片段；{what}。</translation>
    </message>
    <message>
        <source>{n} are left</source>
        <translation>还剩 {n} 个</translation>
    </message>
    <message>
        <source>none is left to record</source>
        <translation>没有剩余片段要录制</translation>
    </message>
    <message>
        <source>It has become better.</source>
        <translation>校准后有所改善。</translation>
    </message>
    <message>
        <source>It has become worse: better discard it.</source>
        <translation>校准后变差了：建议放弃。</translation>
    </message>
    <message>
        <source>These clips cannot tell whether it has become better.</source>
        <translation>这些片段无法说明校准后是否有所改善。</translation>
    </message>
    <message>
        <source>Too much of what was learned on earlier days would be forgotten.</source>
        <translation>此前学到的内容会遗忘过多。</translation>
    </message>
    <message>
        <source>, </source>
        <translation>、</translation>
    </message>
    <message>
        <source>; </source>
        <translation>；</translation>
    </message>
    <message>
        <source>: </source>
        <translation>：</translation>
    </message>
    <message>
        <source>Thank you. Rest.

What you showed is being learned. It takes a minute or two.
Your recording is on disk: nothing is lost if you close the window.</source>
        <translation>谢谢，请休息。

正在学习您刚才的表现，需要一两分钟。
录制内容已存盘：关闭窗口也不会丢失。</translation>
    </message>
    <message>
        <source>Enter: I agree     Esc: I do not</source>
        <translation>Enter：我同意     Esc：我不同意</translation>
    </message>
    <message>
        <source>Calibration, {person}</source>
        <translation>校准，{person}</translation>
    </message>
    <message>
        <source>Agree  (Enter)</source>
        <translation>同意  (Enter)</translation>
    </message>
    <message>
        <source>No  (Esc)</source>
        <translation>不同意  (Esc)</translation>
    </message>
    <message>
        <source>Keep  (K)</source>
        <translation>保留  (K)</translation>
    </message>
    <message>
        <source>Discard  (D)</source>
        <translation>放弃  (D)</translation>
    </message>
    <message>
        <source>Ask me later  (Esc)</source>
        <translation>以后再问  (Esc)</translation>
    </message>
    <message>
        <source>Do you agree?</source>
        <translation>您同意吗？</translation>
    </message>
    <message>
        <source>Nothing could be learned from these clips</source>
        <translation>未能从这些片段中学到内容</translation>
    </message>
    <message>
        <source>The recording stays; it can be begun again.</source>
        <translation>录制内容仍保留；可以重新开始。</translation>
    </message>
    <message>
        <source>Gain {gain:+.0f} points (95 %: {low:+.0f} to {high:+.0f}), on {n} clips, each named by a fit without it.</source>
        <translation>提升 {gain:+.0f} 个百分点（95 %：{low:+.0f} 至 {high:+.0f}），基于 {n} 个片段，每个片段由未用它拟合的模型判定。</translation>
    </message>
    <message>
        <source>{name} {before:.0%} to {after:.0%}</source>
        <translation>{name} {before:.0%} 变为 {after:.0%}</translation>
    </message>
    <message>
        <source>Alone: {all}.</source>
        <translation>单独使用：{all}。</translation>
    </message>
    <message>
        <source>New to the model: {all}.</source>
        <translation>模型新学会：{all}。</translation>
    </message>
    <message>
        <source>Earlier days&apos; clips: {points:+.0f} points.</source>
        <translation>此前的片段：{points:+.0f} 个百分点。</translation>
    </message>
    <message>
        <source>Keep it? The next session of this person then uses it. The recording stays either way.</source>
        <translation>保留吗？保留后，此人的下一次会话将使用它。无论如何，录制内容都会保留。</translation>
    </message>
    <message>
        <source>Before</source>
        <translation>校准前</translation>
    </message>
    <message>
        <source>After</source>
        <translation>校准后</translation>
    </message>
    <message>
        <source>{share:.0%}  ({low:.0%} to {high:.0%})</source>
        <translation>{share:.0%}（{low:.0%} 至 {high:.0%}）</translation>
    </message>
    <message>
        <source>Space  go on, pause     R  again     S  skip     F11  full screen     Esc  end</source>
        <translation>空格  继续、暂停     R  重做     S  跳过     F11  全屏     Esc  结束</translation>
    </message>
    <message>
        <source>Listen: {emotion}</source>
        <translation>听：{emotion}</translation>
    </message>
    <message>
        <source>Speak: {emotion}</source>
        <translation>说：{emotion}</translation>
    </message>
    <message>
        <source>Next you listen: {emotion}</source>
        <translation>接下来请听：{emotion}</translation>
    </message>
    <message>
        <source>Next you speak: {emotion}</source>
        <translation>接下来请说：{emotion}</translation>
    </message>
    <message>
        <source>recording {minutes}:{rest:02d}</source>
        <translation>录制中 {minutes}:{rest:02d}</translation>
    </message>
    <message>
        <source>not recording</source>
        <translation>未在录制</translation>
    </message>
    <message>
        <source>Waiting for the streams …</source>
        <translation>正在等待数据流…</translation>
    </message>
    <message>
        <source>The space bar goes on</source>
        <translation>按空格键继续</translation>
    </message>
    <message>
        <source>Rest</source>
        <translation>休息</translation>
    </message>
    <message>
        <source>Read, and get ready</source>
        <translation>请阅读并准备</translation>
    </message>
    <message>
        <source>Paused
No estimates are made. Streams come in, and are recorded if a recording runs.
Press P to go on.</source>
        <translation>已暂停
不作估计。数据流照常接收；若正在录制，也照常录制。
按 P 键继续。</translation>
    </message>
    <message>
        <source>Waiting for the person to acknowledge the notice
No estimate is made before. It is on the person&apos;s screen; if they have read it elsewhere, press N.</source>
        <translation>正在等待参与者确认告知书
确认之前不作估计。告知书显示在参与者的屏幕上；若已在别处阅读，请按 N 键。</translation>
    </message>
    <message>
        <source>The person has not acknowledged the notice: N does it here</source>
        <translation>参与者尚未确认告知书：可在此按 N 键代为确认</translation>
    </message>
    <message>
        <source>The notice was acknowledged</source>
        <translation>告知书已确认</translation>
    </message>
    <message>
        <source>The person is shown: {text}</source>
        <translation>已向参与者显示：{text}</translation>
    </message>
    <message>
        <source>No cue: the person&apos;s window was closed</source>
        <translation>无提示：参与者的窗口已关闭</translation>
    </message>
    <message>
        <source>No cue: the person has not acknowledged the notice</source>
        <translation>无提示：参与者尚未确认告知书</translation>
    </message>
    <message>
        <source>The person is shown no cue</source>
        <translation>参与者屏幕上已无提示</translation>
    </message>
    <message>
        <source>The recording ends…</source>
        <translation>正在结束录制…</translation>
    </message>
    <message>
        <source>Recording to {file}</source>
        <translation>正在录制到 {file}</translation>
    </message>
    <message>
        <source>The recording begins…</source>
        <translation>正在开始录制…</translation>
    </message>
    <message>
        <source>Recording ended. {found}</source>
        <translation>录制已结束。{found}</translation>
    </message>
    <message>
        <source>mean</source>
        <translation>平均</translation>
    </message>
    <message>
        <source>calibrated mean</source>
        <translation>校准平均</translation>
    </message>
    <message>
        <source>Recognition stopped
{error}
See the log.</source>
        <translation>识别已停止
{error}
请查看日志。</translation>
    </message>
    <message>
        <source>{rate:.0f} frames/s</source>
        <translation>{rate:.0f} 帧/秒</translation>
    </message>
    <message>
        <source>Waiting for the first window</source>
        <translation>正在等待第一个窗口</translation>
    </message>
    <message>
        <source>no stream was asked for</source>
        <translation>未请求数据流</translation>
    </message>
    <message>
        <source>hop {hop:.2f} s</source>
        <translation>步长 {hop:.2f} 秒</translation>
    </message>
    <message>
        <source>a window every {now:.2f} s instead of {hop:.2f} s: the model is slower</source>
        <translation>每 {now:.2f} 秒一个窗口，而非 {hop:.2f} 秒：模型较慢</translation>
    </message>
    <message>
        <source>age of the estimate {age:.1f} s</source>
        <translation>估计距今 {age:.1f} 秒</translation>
    </message>
    <message>
        <source>put out {age:.2f} s after its window</source>
        <translation>窗口结束后 {age:.2f} 秒输出</translation>
    </message>
    <message>
        <source>inference {took:.0f} ms</source>
        <translation>推理 {took:.0f} 毫秒</translation>
    </message>
    <message>
        <source>fused by {name}</source>
        <translation>融合方式 {name}</translation>
    </message>
    <message>
        <source>Adapted to this person by {n} windows</source>
        <translation>已用 {n} 个窗口适配此人</translation>
    </message>
    <message>
        <source>EAV-Live: measuring delays</source>
        <translation>EAV-Live：测量延迟</translation>
    </message>
    <message>
        <source>Point the camera at this screen and turn the sound up.
The screen flashes {n} times, about every two seconds. Escape ends it.</source>
        <translation>请将摄像头对准本屏幕，并调高音量。
屏幕将闪烁 {n} 次，约每两秒一次。按 Esc 结束。</translation>
    </message>
    <message>
        <source>{state}, left out</source>
        <translation>{state}，未采用</translation>
    </message>
    <message>
        <source>{state} by {age}</source>
        <translation>{state} {age}</translation>
    </message>
    <message>
        <source>left out: {why}</source>
        <translation>未采用：{why}</translation>
    </message>
    <message>
        <source>collecting {filled:.1f} of {all:g} s</source>
        <translation>正在采集 {filled:.1f}/{all:g} 秒</translation>
    </message>
    <message>
        <source>{minutes:.0f} min</source>
        <translation>{minutes:.0f} 分钟</translation>
    </message>
    <message>
        <source>{seconds:.0f} s</source>
        <translation>{seconds:.0f} 秒</translation>
    </message>
    <message>
        <source>{seconds:.1f} s</source>
        <translation>{seconds:.1f} 秒</translation>
    </message>
    <message>
        <source>{rate:.1f} a second</source>
        <translation>每秒 {rate:.1f} 个</translation>
    </message>
    <message>
        <source>{gaps} gaps, came back {returns} times</source>
        <translation>{gaps} 次间断，{returns} 次恢复</translation>
    </message>
    <message>
        <source>the sender&apos;s clock jumped {n} times</source>
        <translation>发送端时钟跳变 {n} 次</translation>
    </message>
    <message>
        <source>{hertz:g} Hz hum at {ratio:.1f} times the EEG</source>
        <translation>{hertz:g} Hz 工频干扰，为 EEG 的 {ratio:.1f} 倍</translation>
    </message>
    <message>
        <source>speech in {share:.0%} of the window</source>
        <translation>语音占窗口的 {share:.0%}</translation>
    </message>
    <message>
        <source>face in {share:.0%} of the frames, sure to {sure:.0%}</source>
        <translation>{share:.0%} 的帧中有人脸，置信度 {sure:.0%}</translation>
    </message>
    <message>
        <source>this model does not read it</source>
        <translation>此模型不使用该输入</translation>
    </message>
    <message>
        <source>{name}: not in use
{why}</source>
        <translation>{name}：未使用
{why}</translation>
    </message>
    <message>
        <source>Looking for {name} …</source>
        <translation>正在查找 {name}…</translation>
    </message>
    <message>
        <source>{name} lost</source>
        <translation>{name} 中断</translation>
    </message>
    <message>
        <source>{name} lost {age} ago</source>
        <translation>{name} 已中断 {age}</translation>
    </message>
    <message>
        <source>{name} refused</source>
        <translation>{name} 被拒</translation>
    </message>
    <message>
        <source>returned, collecting 0.0 of 5 s</source>
        <translation>已恢复、正在采集 0.0/5 秒</translation>
    </message>
    <message>
        <source> Press E to do it here.</source>
        <translation> 按 E 键可在此完成。</translation>
    </message>
    <message>
        <source>None</source>
        <translation>不使用</translation>
    </message>
    <message>
        <source>this is left out</source>
        <translation>不采集这一项</translation>
    </message>
    <message>
        <source>{n} of 30 electrodes</source>
        <translation>30 个电极中有 {n} 个</translation>
    </message>
    <message>
        <source>being looked at</source>
        <translation>正在检查</translation>
    </message>
    <message>
        <source>{pace}, cannot be used</source>
        <translation>{pace}，不可用</translation>
    </message>
    <message>
        <source>over LSL, {pace}</source>
        <translation>经 LSL，{pace}</translation>
    </message>
    <message>
        <source>{rate:g} Hz</source>
        <translation>{rate:g} Hz</translation>
    </message>
    <message>
        <source>, the default</source>
        <translation>，默认</translation>
    </message>
    <message>
        <source>Camera {number}</source>
        <translation>摄像头 {number}</translation>
    </message>
    <message>
        <source>a file</source>
        <translation>文件</translation>
    </message>
    <message>
        <source>an irregular rate</source>
        <translation>不固定采样率</translation>
    </message>
    <message>
        <source>1 channel at {rate}</source>
        <translation>1 个通道，{rate}</translation>
    </message>
    <message>
        <source>{n} channels at {rate}</source>
        <translation>{n} 个通道，{rate}</translation>
    </message>
    <message>
        <source>{name} on {host}</source>
        <translation>{name}（{host}）</translation>
    </message>
    <message>
        <source>This cannot be used</source>
        <translation>无法使用</translation>
    </message>
    <message>
        <source>Starting…</source>
        <translation>正在启动…</translation>
    </message>
    <message>
        <source>Back to the start page (B)</source>
        <translation>返回开始页 (B)</translation>
    </message>
    <message>
        <source>Close (Esc)</source>
        <translation>关闭 (Esc)</translation>
    </message>
    <message>
        <source>{title}. {more}. Key {key}</source>
        <translation>{title}。{more}。按键 {key}</translation>
    </message>
    <message>
        <source>LOST   {text}   Press {key} to acknowledge</source>
        <translation>丢失   {text}   按 {key} 键确认</translation>
    </message>
    <message>
        <source>backend as it is</source>
        <translation>后端不变</translation>
    </message>
    <message>
        <source>Model: a run&apos;s folder or a checkpoint</source>
        <translation>模型：训练运行的文件夹或检查点</translation>
    </message>
    <message>
        <source>Backend</source>
        <translation>后端</translation>
    </message>
    <message>
        <source>Recognize</source>
        <translation>识别</translation>
    </message>
    <message>
        <source>Recognize anew by</source>
        <translation>重新识别，使用模型</translation>
    </message>
    <message>
        <source>{done} of {all} windows</source>
        <translation>{done}/{all} 个窗口</translation>
    </message>
    <message>
        <source>{path}: there is no such checkpoint</source>
        <translation>{path}：没有这个检查点</translation>
    </message>
    <message>
        <source>Click or press {key} for what this model is worth and where it fails</source>
        <translation>单击或按 {key} 键，查看此模型的效果与不足</translation>
    </message>
    <message>
        <source>press {key} for its card</source>
        <translation>按 {key} 键查看模型卡</translation>
    </message>
    <message>
        <source>Card</source>
        <translation>模型卡</translation>
    </message>
    <message>
        <source>{name}: level</source>
        <translation>{name}：电平</translation>
    </message>
    <message>
        <source>{name}: what it shows</source>
        <translation>{name}：画面</translation>
    </message>
    <message>
        <source>Record this session</source>
        <translation>录制本次会话</translation>
    </message>
    <message>
        <source>a code, no name, as P01</source>
        <translation>代码而非姓名，如 P01</translation>
    </message>
    <message>
        <source>initials</source>
        <translation>姓名缩写</translation>
    </message>
    <message>
        <source>The person has read this, and agrees</source>
        <translation>参与者已阅读并同意</translation>
    </message>
    <message>
        <source>Record (Enter)</source>
        <translation>录制 (Enter)</translation>
    </message>
    <message>
        <source>Cancel (Esc)</source>
        <translation>取消 (Esc)</translation>
    </message>
    <message>
        <source>Person</source>
        <translation>参与者</translation>
    </message>
    <message>
        <source>Who asks</source>
        <translation>征求同意者</translation>
    </message>
    <message>
        <source>File</source>
        <translation>文件</translation>
    </message>
    <message>
        <source>Recorded: {all}.</source>
        <translation>记录内容：{all}。</translation>
    </message>
    <message>
        <source>Not before the person agrees: tick that they do.</source>
        <translation>须先经本人同意：请勾选同意。</translation>
    </message>
    <message>
        <source>Dimensions of the {name}</source>
        <translation>{name}的情感维度</translation>
    </message>
    <message>
        <source>As the published model estimates them, from 0 to 1. Nothing of the estimate is computed from them.</source>
        <translation>由已发表的模型估计，范围 0 到 1。情绪估计不使用这些数值。</translation>
    </message>
    <message>
        <source>absent</source>
        <translation>缺失</translation>
    </message>
    <message>
        <source>quality</source>
        <translation>质量</translation>
    </message>
    <message>
        <source>not in the stream: computed from its neighbors</source>
        <translation>数据流中没有：由相邻电极计算</translation>
    </message>
    <message>
        <source>good</source>
        <translation>良好</translation>
    </message>
    <message>
        <source>Head map by {measure}</source>
        <translation>头部图：{measure}</translation>
    </message>
    <message>
        <source>{chosen}. Bad electrodes: {bad}</source>
        <translation>{chosen}。不良电极：{bad}</translation>
    </message>
    <message>
        <source>Spectrum</source>
        <translation>频谱</translation>
    </message>
    <message>
        <source>two seconds of numbers without a gap are needed</source>
        <translation>需要两秒无间断的有效数据</translation>
    </message>
    <message>
        <source> and </source>
        <translation> 和 </translation>
    </message>
    <message>
        <source>{line} Hz hum</source>
        <translation>{line} Hz 工频干扰</translation>
    </message>
    <message>
        <source>newest {seconds:.0f} s as recorded</source>
        <translation>最近 {seconds:.0f} 秒原始数据</translation>
    </message>
    <message>
        <source>Hz; 0 dB is 1 µV²/Hz</source>
        <translation>Hz；0 dB 为 1 µV²/Hz</translation>
    </message>
    <message>
        <source>{line:g} Hz hum</source>
        <translation>{line:g} Hz 工频干扰</translation>
    </message>
    <message>
        <source>Traces</source>
        <translation>波形</translation>
    </message>
    <message>
        <source>Head</source>
        <translation>头部</translation>
    </message>
    <message>
        <source>the EEG as traces, on the head, as a spectrum</source>
        <translation>EEG 显示为波形、头部图或频谱</translation>
    </message>
    <message>
        <source>the traces for the eye, as the model sees them, as recorded</source>
        <translation>波形：便于查看、模型所见、原始录制</translation>
    </message>
    <message>
        <source>the traces live again, after Page Up</source>
        <translation>按 Page Up 之后，曲线回到实时</translation>
    </message>
    <message>
        <source>the head by quality or by the power of a band</source>
        <translation>头部图按质量或频段功率着色</translation>
    </message>
    <message>
        <source>the next electrode&apos;s spectrum; with Shift the one before</source>
        <translation>下一个电极的频谱；加 Shift 为上一个</translation>
    </message>
    <message>
        <source>five seconds of EEG without a gap are needed</source>
        <translation>需要五秒无间断的 EEG</translation>
    </message>
    <message>
        <source>Head map by</source>
        <translation>头部图依据</translation>
    </message>
    <message>
        <source>Electrode</source>
        <translation>电极</translation>
    </message>
    <message>
        <source>computed</source>
        <translation>插值</translation>
    </message>
    <message>
        <source>By their order is a guess: compare it with the amplifier&apos;s manual, or touch an electrode and look at which trace moves.</source>
        <translation>按顺序对应只是猜测：请对照放大器手册，或触碰一个电极，看哪条波形变化。</translation>
    </message>
    <message>
        <source>Use (Enter)</source>
        <translation>采用 (Enter)</translation>
    </message>
    <message>
        <source>By name (F2)</source>
        <translation>按名称 (F2)</translation>
    </message>
    <message>
        <source>In order (F3)</source>
        <translation>按顺序 (F3)</translation>
    </message>
    <message>
        <source>Channel of {electrode}</source>
        <translation>{electrode} 的通道</translation>
    </message>
    <message>
        <source>{n} of {all} electrodes have a channel.</source>
        <translation>{all} 个电极中有 {n} 个已对应通道。</translation>
    </message>
    <message>
        <source>{n} of {all} electrodes have a channel; computed from their neighbors: {names}.</source>
        <translation>{all} 个电极中有 {n} 个已对应通道；由相邻电极计算：{names}。</translation>
    </message>
    <message>
        <source>More than {n} are computed only because you say so here.</source>
        <translation>计算的电极超过 {n} 个，仅因您在此指定才允许。</translation>
    </message>
    <message>
        <source>channel {number}</source>
        <translation>通道 {number}</translation>
    </message>
    <message>
        <source>{label} (channel {number})</source>
        <translation>{label}（通道 {number}）</translation>
    </message>
    <message>
        <source>not known to this model</source>
        <translation>此模型不识别</translation>
    </message>
    <message>
        <source>, held</source>
        <translation>，保持</translation>
    </message>
    <message>
        <source>Estimate</source>
        <translation>估计</translation>
    </message>
    <message>
        <source>not there</source>
        <translation>不存在</translation>
    </message>
    <message>
        <source>no new estimate</source>
        <translation>没有新的估计</translation>
    </message>
    <message>
        <source>truth: {emotion}</source>
        <translation>真值：{emotion}</translation>
    </message>
    <message>
        <source>no stream is usable</source>
        <translation>没有可用的数据流</translation>
    </message>
    <message>
        <source>from {streams}</source>
        <translation>来源：{streams}</translation>
    </message>
    <message>
        <source>not {emotions}</source>
        <translation>排除 {emotions}</translation>
    </message>
    <message>
        <source>any of them</source>
        <translation>任何一种</translation>
    </message>
    <message>
        <source>bar: smoothed, mark: this window</source>
        <translation>条：平滑后，竖线：本窗口</translation>
    </message>
    <message>
        <source>Camera picture</source>
        <translation>摄像头画面</translation>
    </message>
    <message>
        <source>Click at a face to follow it</source>
        <translation>单击人脸即可跟踪</translation>
    </message>
    <message>
        <source>All files (*)</source>
        <translation>所有文件 (*)</translation>
    </message>
    <message>
        <source>&amp;Look in:</source>
        <translation>查找范围(&amp;L)：</translation>
    </message>
    <message>
        <source>Files of &amp;type:</source>
        <translation>文件类型(&amp;T)：</translation>
    </message>
    <message>
        <source>larger, smaller, usual letters</source>
        <translation>放大、缩小、恢复字号</translation>
    </message>
    <message>
        <source>Space</source>
        <translation>空格</translation>
    </message>
    <message>
        <source>play, pause</source>
        <translation>播放、暂停</translation>
    </message>
    <message>
        <source>slower, faster (0.5 to 4 times)</source>
        <translation>减速、加速（0.5 至 4 倍）</translation>
    </message>
    <message>
        <source>a second back, on; with Shift ten</source>
        <translation>后退、前进一秒；加 Shift 为十秒</translation>
    </message>
    <message>
        <source>to the beginning, to the end</source>
        <translation>到开头、到结尾</translation>
    </message>
    <message>
        <source>to the next disagreement; with Shift to the one before</source>
        <translation>到下一处分歧；加 Shift 到上一处</translation>
    </message>
    <message>
        <source>to the next loss of a stream; with Shift to the one before</source>
        <translation>到下一处数据流中断；加 Shift 到上一处</translation>
    </message>
    <message>
        <source>to the next marker or note; with Shift to the one before</source>
        <translation>到下一个标记或备注；加 Shift 到上一个</translation>
    </message>
    <message>
        <source>note something at the cursor</source>
        <translation>在光标处添加备注</translation>
    </message>
    <message>
        <source>rename the note at or before the cursor</source>
        <translation>重命名光标处或之前的备注</translation>
    </message>
    <message>
        <source>delete the note at or before the cursor</source>
        <translation>删除光标处或之前的备注</translation>
    </message>
    <message>
        <source>recognize anew by another model</source>
        <translation>用另一个模型重新识别</translation>
    </message>
    <message>
        <source>show the estimates as recorded, or those made anew</source>
        <translation>显示录制时的估计，或重新识别的估计</translation>
    </message>
    <message>
        <source>zoom into the timeline; with Shift out</source>
        <translation>放大时间线；加 Shift 缩小</translation>
    </message>
    <message>
        <source>save the timeline as a picture and a table, beside the recording</source>
        <translation>将时间线存为图片和表格，放在录制文件旁</translation>
    </message>
    <message>
        <source>larger, smaller EEG traces</source>
        <translation>放大、缩小 EEG 波形</translation>
    </message>
    <message>
        <source>the EEG for the eye, as a model sees it, as recorded</source>
        <translation>EEG：便于查看、模型所见、原始录制</translation>
    </message>
    <message>
        <source>with large letters what does not fit</source>
        <translation>字号较大时查看放不下的内容</translation>
    </message>
    <message>
        <source>full screen</source>
        <translation>全屏</translation>
    </message>
    <message>
        <source>these keys</source>
        <translation>显示这些按键</translation>
    </message>
    <message>
        <source>make no estimates for a while, or again; streams still come in</source>
        <translation>暂停或继续估计；数据流照常接收</translation>
    </message>
    <message>
        <source>record, after consent; end the recording</source>
        <translation>征得同意后录制；结束录制</translation>
    </message>
    <message>
        <source>1 to 9</source>
        <translation>1 至 9</translation>
    </message>
    <message>
        <source>mark what the preset calls so, while it is recorded</source>
        <translation>录制时打上预设中定义的标记</translation>
    </message>
    <message>
        <source>show the person no cue any more, where marks show cues</source>
        <translation>标记会显示提示时，撤去参与者的提示</translation>
    </message>
    <message>
        <source>note something of this moment, while it is recorded</source>
        <translation>录制时为此刻添加备注</translation>
    </message>
    <message>
        <source>acknowledge a loss</source>
        <translation>确认中断</translation>
    </message>
    <message>
        <source>the person has read the notice, where one is shown</source>
        <translation>参与者已阅读告知书（若有显示）</translation>
    </message>
    <message>
        <source>the model&apos;s card</source>
        <translation>模型卡</translation>
    </message>
    <message>
        <source>the traces back, on; with large letters what does not fit</source>
        <translation>曲线向前、向后翻；字号大时翻看放不下的内容</translation>
    </message>
    <message>
        <source>stop the session, and close</source>
        <translation>停止会话并关闭</translation>
    </message>
    <message>
        <source>Keys</source>
        <translation>按键</translation>
    </message>
    <message>
        <source>{key} note</source>
        <translation>{key} 备注</translation>
    </message>
    <message>
        <source>marked {text}     </source>
        <translation>已标记 {text}     </translation>
    </message>
    <message>
        <source>note, then Enter</source>
        <translation>输入备注，按 Enter</translation>
    </message>
    <message>
        <source>Note</source>
        <translation>备注</translation>
    </message>
    <message>
        <source>nothing came at this moment</source>
        <translation>此刻没有数据</translation>
    </message>
    <message>
        <source>no frame here</source>
        <translation>此处没有图像</translation>
    </message>
    <message>
        <source>anew</source>
        <translation>重新识别</translation>
    </message>
    <message>
        <source>as recorded</source>
        <translation>录制时的估计</translation>
    </message>
    <message>
        <source>recorded</source>
        <translation>录制时</translation>
    </message>
    <message>
        <source>anew by {model}</source>
        <translation>由 {model} 重新识别</translation>
    </message>
    <message>
        <source>Nothing was recognized
R recognizes it now</source>
        <translation>没有识别过
按 R 现在识别</translation>
    </message>
    <message>
        <source>No estimate at this moment</source>
        <translation>此刻没有估计</translation>
    </message>
    <message>
        <source>{name}: not in this recording</source>
        <translation>{name}：不在此录制中</translation>
    </message>
    <message>
        <source>What is to be noted; Enter keeps it, Esc does not</source>
        <translation>输入备注内容；Enter 保存，Esc 放弃</translation>
    </message>
    <message>
        <source>−{seconds} s</source>
        <translation>−{seconds} 秒</translation>
    </message>
    <message>
        <source>now</source>
        <translation>现在</translation>
    </message>
    <message>
        <source>Recording</source>
        <translation>录制</translation>
    </message>
    <message>
        <source>decision</source>
        <translation>判定</translation>
    </message>
    <message>
        <source>truth</source>
        <translation>真值</translation>
    </message>
    <message>
        <source>markers</source>
        <translation>标记</translation>
    </message>
    <message>
        <source>notes</source>
        <translation>备注</translation>
    </message>
    <message>
        <source>Pause</source>
        <translation>暂停</translation>
    </message>
    <message>
        <source>Record</source>
        <translation>录制</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>停止</translation>
    </message>
    <message>
        <source>Go on</source>
        <translation>继续</translation>
    </message>
    <message>
        <source>End recording</source>
        <translation>结束录制</translation>
    </message>
    <message>
        <source>{room:.0f} GB free</source>
        <translation>剩余 {room:.0f} GB</translation>
    </message>
    <message>
        <source>{text}: key {key}</source>
        <translation>{text}：按键 {key}</translation>
    </message>
    <message>
        <source>Timeline of the recording</source>
        <translation>录制的时间线</translation>
    </message>
    <message>
        <source>estimate</source>
        <translation>估计</translation>
    </message>
    <message>
        <source>Level of the voice</source>
        <translation>语音电平</translation>
    </message>
    <message>
        <source>Spectrogram of the voice</source>
        <translation>语音频谱图</translation>
    </message>
    <message>
        <source>the timeline back, on</source>
        <translation>时间线后退、前进</translation>
    </message>
    <message>
        <source>the timeline back to now</source>
        <translation>时间线回到现在</translation>
    </message>
    <message>
        <source>save the timeline as a picture and a table</source>
        <translation>将时间线存为图片和表格</translation>
    </message>
    <message>
        <source>Timeline</source>
        <translation>时间线</translation>
    </message>
    <message>
        <source>marks</source>
        <translation>标记</translation>
    </message>
    <message>
        <source>−{seconds:g} s</source>
        <translation>−{seconds:g} 秒</translation>
    </message>
    <message>
        <source>−{minutes:g} min</source>
        <translation>−{minutes:g} 分钟</translation>
    </message>
    <message>
        <source>Last 3 minutes</source>
        <translation>最近 3 分钟</translation>
    </message>
    <message>
        <source>Back to now</source>
        <translation>回到现在</translation>
    </message>
    <message>
        <source>nothing to save yet</source>
        <translation>尚无可保存的内容</translation>
    </message>
    <message>
        <source>the picture cannot be written</source>
        <translation>无法写入图片</translation>
    </message>
    <message>
        <source>not saved in {folder}: {why}</source>
        <translation>未能保存到 {folder}：{why}</translation>
    </message>
    <message>
        <source>saved: {path} and .png</source>
        <translation>已保存：{path} 和 .png</translation>
    </message>
    <message>
        <source>Last {time}</source>
        <translation>最近 {time}</translation>
    </message>
    <message>
        <source>{first} to {last}</source>
        <translation>{first} 至 {last}</translation>
    </message>
    <message>
        <source>{seconds:.0f} seconds</source>
        <translation>{seconds:.0f} 秒</translation>
    </message>
    <message>
        <source>{minutes:.1f} minutes</source>
        <translation>{minutes:.1f} 分钟</translation>
    </message>
    <message>
        <source>{minutes:.0f} minutes</source>
        <translation>{minutes:.0f} 分钟</translation>
    </message>
    <message>
        <source>Eye</source>
        <translation>视图</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>模型</translation>
    </message>
    <message>
        <source>Raw</source>
        <translation>原始</translation>
    </message>
    <message>
        <source>Filtered for the eye, 0.5 to 40 Hz</source>
        <translation>为便于查看而滤波，0.5 至 40 Hz</translation>
    </message>
    <message>
        <source>The newest window as the model reads it</source>
        <translation>最新窗口，与模型读取的一致</translation>
    </message>
    <message>
        <source>As recorded, each electrode about its mean</source>
        <translation>原始录制，各电极去均值</translation>
    </message>
    <message>
        <source>Smaller traces: more µV a row (key −)</source>
        <translation>缩小波形：每行更多 µV（按键 −）</translation>
    </message>
    <message>
        <source>Larger traces: fewer µV a row (key +)</source>
        <translation>放大波形：每行更少 µV（按键 +）</translation>
    </message>
    <message>
        <source>Smaller traces</source>
        <translation>缩小波形</translation>
    </message>
    <message>
        <source>Larger traces</source>
        <translation>放大波形</translation>
    </message>
    <message>
        <source>EEG traces</source>
        <translation>EEG 波形</translation>
    </message>
    <message>
        <source>{about} (key F)</source>
        <translation>{about}（按键 F）</translation>
    </message>
    <message>
        <source>EEG filter. {about}</source>
        <translation>EEG 滤波。{about}</translation>
    </message>
    <message>
        <source>{scale} µV from row to row</source>
        <translation>行距 {scale} µV</translation>
    </message>
    <message>
        <source>differs</source>
        <translation>分歧</translation>
    </message>
    <message>
        <source>loss</source>
        <translation>中断</translation>
    </message>
    <message>
        <source>mark</source>
        <translation>标记</translation>
    </message>
    <message>
        <source>Play</source>
        <translation>播放</translation>
    </message>
    <message>
        <source>slower</source>
        <translation>减速</translation>
    </message>
    <message>
        <source>faster</source>
        <translation>加速</translation>
    </message>
    <message>
        <source>previous {what}</source>
        <translation>上一处{what}</translation>
    </message>
    <message>
        <source>next {what}</source>
        <translation>下一处{what}</translation>
    </message>
    <message>
        <source>Save</source>
        <translation>保存</translation>
    </message>
    <message>
        <source>Recognize anew</source>
        <translation>重新识别</translation>
    </message>
    <message>
        <source>Key {key}</source>
        <translation>按键 {key}</translation>
    </message>
    <message>
        <source>EAV-Live: participant</source>
        <translation>EAV-Live：参与者</translation>
    </message>
    <message>
        <source>I have read this (Enter)</source>
        <translation>我已阅读 (Enter)</translation>
    </message>
    <message>
        <source>Tab and arrows choose</source>
        <translation>用 Tab 和方向键选择</translation>
    </message>
    <message>
        <source>Sound and pictures (*.mp4 *.mov *.mkv *.avi *.webm *.mpg *.wav *.flac *.mp3 *.m4a)</source>
        <translation>声音和图像 (*.mp4 *.mov *.mkv *.avi *.webm *.mpg *.wav *.flac *.mp3 *.m4a)</translation>
    </message>
    <message>
        <source>EAV-Live: devices</source>
        <translation>EAV-Live：设备</translation>
    </message>
    <message>
        <source>No EEG stream is seen on the network</source>
        <translation>网络上未发现 EEG 数据流</translation>
    </message>
    <message>
        <source>No microphone is seen</source>
        <translation>未发现麦克风</translation>
    </message>
    <message>
        <source>No camera is seen</source>
        <translation>未发现摄像头</translation>
    </message>
    <message>
        <source>Looking for devices…</source>
        <translation>正在查找设备…</translation>
    </message>
    <message>
        <source>Model: the embedded one, which reads voice and face, no EEG</source>
        <translation>模型：内置模型，使用语音和面部，不使用 EEG</translation>
    </message>
    <message>
        <source>Model: {name}</source>
        <translation>模型：{name}</translation>
    </message>
    <message>
        <source>name of the preset, then Enter</source>
        <translation>输入预设名称，按 Enter</translation>
    </message>
    <message>
        <source>Name of the preset</source>
        <translation>预设名称</translation>
    </message>
    <message>
        <source>Electrodes (E)</source>
        <translation>电极 (E)</translation>
    </message>
    <message>
        <source>A file (F)</source>
        <translation>文件 (F)</translation>
    </message>
    <message>
        <source>Start (Enter)</source>
        <translation>开始 (Enter)</translation>
    </message>
    <message>
        <source>Save as a preset (S)</source>
        <translation>存为预设 (S)</translation>
    </message>
    <message>
        <source>Back (Esc)</source>
        <translation>返回 (Esc)</translation>
    </message>
    <message>
        <source>Which devices?</source>
        <translation>使用哪些设备？</translation>
    </message>
    <message>
        <source>{name}: {choice} cannot be used.</source>
        <translation>{name}：{choice} 不可用。</translation>
    </message>
    <message>
        <source>Choose at least one stream or device.</source>
        <translation>请至少选择一个数据流或设备。</translation>
    </message>
    <message>
        <source>it gave no reason</source>
        <translation>原因不明</translation>
    </message>
    <message>
        <source>Devices are no longer looked for: {why}</source>
        <translation>已不再查找设备：{why}</translation>
    </message>
    <message>
        <source>The name </source>
        <translation>名称 </translation>
    </message>
    <message>
        <source>Kept as {name}: it is on the start page from now on.</source>
        <translation>已存为 {name}：今后可在起始页找到。</translation>
    </message>
    <message>
        <source>Which channel of {name} is which electrode?</source>
        <translation>{name} 的哪个通道对应哪个电极？</translation>
    </message>
    <message>
        <source>A file in place of devices</source>
        <translation>用文件代替设备</translation>
    </message>
    <message>
        <source>{error!r}. See the log.</source>
        <translation>{error!r}。请查看日志。</translation>
    </message>
    <message>
        <source>Estimates say what a model made of these signals, not what the person felt; they are no diagnosis.</source>
        <translation>估计只表示模型对这些信号的判读，不代表参与者的真实感受，也不是诊断。</translation>
    </message>
    <message>
        <source>EAV-Live review: {file}</source>
        <translation>EAV-Live 回放：{file}</translation>
    </message>
    <message>
        <source>person {person}</source>
        <translation>参与者 {person}</translation>
    </message>
    <message>
        <source>{name}, a demo model of synthetic people. </source>
        <translation>{name}，合成人物的演示模型。</translation>
    </message>
    <message>
        <source>A synthetic person. </source>
        <translation>合成人物。</translation>
    </message>
    <message>
        <source>none before</source>
        <translation>此前没有</translation>
    </message>
    <message>
        <source>none after this moment</source>
        <translation>此后没有</translation>
    </message>
    <message>
        <source>Note at {time}</source>
        <translation>备注于 {time}</translation>
    </message>
    <message>
        <source>Rename {time}</source>
        <translation>重命名 {time}</translation>
    </message>
    <message>
        <source>deleted: {text}</source>
        <translation>已删除：{text}</translation>
    </message>
    <message>
        <source>no note at or before this moment</source>
        <translation>此刻及之前没有备注</translation>
    </message>
    <message>
        <source>the notes cannot be saved: {why}</source>
        <translation>无法保存备注：{why}</translation>
    </message>
    <message>
        <source>another decision in {n} stretches</source>
        <translation>{n} 段判定不同</translation>
    </message>
    <message>
        <source>another decision in 1 stretch</source>
        <translation>1 段判定不同</translation>
    </message>
    <message>
        <source>another decision than the label in {n} stretches</source>
        <translation>{n} 段判定与标签不同</translation>
    </message>
    <message>
        <source>another decision than the label in 1 stretch</source>
        <translation>1 段判定与标签不同</translation>
    </message>
    <message>
        <source>{done} of {all} windows were recognized anew</source>
        <translation>已重新识别 {done}/{all} 个窗口</translation>
    </message>
    <message>
        <source>A probability is a model&apos;s guess at acted emotions: not what a person feels, and no diagnosis. Nothing leaves this computer, and nothing is recorded without consent.</source>
        <translation>概率只是模型对表演情绪的猜测：既不代表真实感受，也不是诊断。任何数据都不会离开本计算机；未经同意不会录制。</translation>
    </message>
    <message>
        <source>Start with camera and microphone</source>
        <translation>用摄像头和麦克风开始</translation>
    </message>
    <message>
        <source>the embedded model reads face and voice</source>
        <translation>内置模型识别面部和语音</translation>
    </message>
    <message>
        <source>Connect devices</source>
        <translation>连接设备</translation>
    </message>
    <message>
        <source>see which amplifiers, microphones and cameras are there</source>
        <translation>查看有哪些放大器、麦克风和摄像头</translation>
    </message>
    <message>
        <source>Demo</source>
        <translation>演示</translation>
    </message>
    <message>
        <source>a synthetic person, no hardware</source>
        <translation>合成人物，无需硬件</translation>
    </message>
    <message>
        <source>Review a recording</source>
        <translation>回放录制</translation>
    </message>
    <message>
        <source>play it, step, note, recognize anew</source>
        <translation>播放、步进、备注、重新识别</translation>
    </message>
    <message>
        <source>Open a model</source>
        <translation>打开模型</translation>
    </message>
    <message>
        <source>one of yours, then choose its devices</source>
        <translation>您自己的模型，然后选择设备</translation>
    </message>
    <message>
        <source>the one that was refused, with the same options</source>
        <translation>刚才未能开始的那一次，选项不变</translation>
    </message>
    <message>
        <source>Last session again</source>
        <translation>重复上次会话</translation>
    </message>
    <message>
        <source>with the same streams and model</source>
        <translation>数据流和模型相同</translation>
    </message>
    <message>
        <source>there is none so far</source>
        <translation>目前没有</translation>
    </message>
    <message>
        <source>Presets</source>
        <translation>预设</translation>
    </message>
    <message>
        <source>preset</source>
        <translation>预设</translation>
    </message>
    <message>
        <source>None so far. Connect devices and save the choice under a name, and it is here at the next start.</source>
        <translation>目前没有。请连接设备并命名保存，下次启动时即可在此找到。</translation>
    </message>
    <message>
        <source>Recordings (*.xdf)</source>
        <translation>录制 (*.xdf)</translation>
    </message>
    <message>
        <source>Take this subject&apos;s folder (Ctrl+Enter)</source>
        <translation>选用此受试者文件夹 (Ctrl+Enter)</translation>
    </message>
    <message>
        <source>Models (*.safetensors)</source>
        <translation>模型 (*.safetensors)</translation>
    </message>
    <message>
        <source>Drawing the dashboard…</source>
        <translation>正在绘制界面…</translation>
    </message>
    <message>
        <source>Reading {file}: about five minutes an hour…</source>
        <translation>正在读取 {file}：每小时录制约需五分钟…</translation>
    </message>
</context>
</TS>
